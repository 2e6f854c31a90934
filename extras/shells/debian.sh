#!/bin/sh
# Install zsh and fish from Debian.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends zsh fish
