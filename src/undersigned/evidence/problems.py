"""The problems that evidence can report; those of the stand-alone verifier are E-EVD-1nn.

WHY this file is long: a flat list, one entry for each way to fail, is found by its code.
"""

from __future__ import annotations

from undersigned.core.errors import Problem
from undersigned.evidence.verify import CODES

OUTSIDE_TREE = Problem(
    "E-EVD-001",
    "a position outside the tree",
    "A proof exists only for a record and sizes that the log has reached.",
    "take an index below the size on the second line of the log's checkpoint",
)
BAD_NOTE = Problem(
    "E-EVD-002",
    "a signed note that is malformed",
    "A note that two programs could read differently proves nothing to one of them.",
    "fetch the note again from whoever published it",
)
BAD_NOTE_SIGNATURE = Problem(
    "E-EVD-003",
    "a note without a valid signature of a trusted key",
    "Anyone can write a checkpoint; only the log's key makes it the log's word.",
    "add the log's verifier key to the trust file, or fetch the note again",
)
BAD_CHECKPOINT = Problem(
    "E-EVD-004",
    "a checkpoint that is malformed",
    "Origin, size and root must be readable in exactly one way to be comparable.",
    "fetch the checkpoint again from the log named on its first line",
)
BAD_VERIFIER_KEY = Problem(
    "E-EVD-005",
    "a verifier key that is malformed",
    "A key whose name, id and bytes disagree could be taken for another key.",
    "copy the line name+id+key again from its owner",
)
BAD_RECEIPT = Problem(
    "E-EVD-006",
    "a log receipt that is malformed",
    "A receipt must be readable in exactly one way to be a proof.",
    "ask the log for the receipt again",
)
BAD_KEY_NAME = Problem(
    "E-EVD-007",
    "a key name or origin that is not allowed",
    "Names appear in signed lines, file names and trust files, so they keep to a plain alphabet.",
    "use lower-case letters, digits and . _ / - and start with a letter or digit",
)
KEY_EXPOSED = Problem(
    "E-EVD-010",
    "a private key that others can read",
    "Whoever can read the key can sign in its owner's name.",
    "chmod 600 {path} (and replace the key if others may have copied it)",
)
BAD_KEY = Problem(
    "E-EVD-011",
    "a private key file that cannot be used",
    "Without its key nothing can be signed, and signing with another key would mislead.",
    "check that {path} is an unencrypted Ed25519 key in PKCS#8 PEM, written by undersigned",
)
KEY_EXISTS = Problem(
    "E-EVD-012",
    "a key file that exists already",
    "Overwriting a private key would make everything that it still has to sign impossible.",
    "choose another name, or move {path} away first",
)
KEY_INSIDE = Problem(
    "E-EVD-013",
    "a private key inside a project or dossier",
    "Folders that are published, committed or handed over must never hold a private key.",
    "choose a key folder outside {forbidden}",
)
LOG_LOCKED = Problem(
    "E-EVD-020",
    "a log that another process is writing",
    "Two writers would give the log two histories.",
    "wait for the other process, or stop it, then run the same command again",
)
LOG_POISONED = Problem(
    "E-EVD-021",
    "a log that refuses to go on after a failed write",
    "After a failed write or flush nobody knows what is on the disk until it is read again.",
    "free space or fix the disk, then run the same command again (it re-reads the log)",
)
LOG_DAMAGED = Problem(
    "E-EVD-022",
    "a log whose acknowledged records are damaged or missing",
    "Records that were promised to be kept are not there as they were written.",
    "restore {path} from a copy; if there is none, keep it and start a new log under a new origin",
)
LOG_ROLLED_BACK = Problem(
    "E-EVD-023",
    "a log that is older than what it has published",
    "Going on from an older state would give two histories for the same positions.",
    "restore the newest copy of {path}, including its files high-water and journal",
)
LOG_KEY = Problem(
    "E-EVD-024",
    "a log opened with another key",
    "A log that changes its key unannounced cannot be told from a forged one.",
    "open the log with the key that it was created with",
)
LOG_MISSING = Problem(
    "E-EVD-025",
    "a log that is not there, or is not whole",
    "An absent log must not be mistaken for an empty one.",
    "restore {path} from a copy, or start a new log under a new origin",
)
LOG_EXISTS = Problem(
    "E-EVD-026",
    "a log that exists already",
    "A log is never started over; its history would be lost.",
    "open the log at {path}, or choose another folder",
)
BAD_ENTRY = Problem(
    "E-EVD-027",
    "a log entry that is not allowed",
    "Entries are canonical records of at most 1 KiB; payloads lie beside the log.",
    "log the digest of the payload with Entry.of, not the payload, in smaller commits",
)
LOG_WRITE = Problem(
    "E-EVD-028",
    "a log that could not be written",
    "The record was not acknowledged and may be missing after a restart.",
    "free space or fix permissions at {path}, then run the same command again",
)
BAD_STATEMENT = Problem(
    "E-EVD-030",
    "a statement that is malformed",
    "A statement must be readable in exactly one way, or its signature covers two meanings.",
    "ask its issuer to write it again with undersigned",
)
BAD_SIGNATURE = Problem(
    "E-EVD-031",
    "a signature that does not verify",
    "The bytes are not those that the key signed.",
    "fetch the file again from its issuer, and compare its digest",
)
UNKNOWN_KEY = Problem(
    "E-EVD-032",
    "a signature by a key that the trust file does not know",
    "Whom to believe is decided by the reader, never by what is being read.",
    "add the key to the trust file if you trust its owner",
)
NOT_ALLOWED = Problem(
    "E-EVD-033",
    "a key that may not sign this",
    "A key counts only for the predicates, roles and logs that the trust file gives it.",
    "give the key this predicate or role in the trust file if that is meant",
)
KEY_REVOKED = Problem(
    "E-EVD-034",
    "a key that is revoked at this log position",
    "What a key signs after its revocation may come from whoever stole it.",
    "ask the party to sign and log it again with its present key",
)
KEY_NOT_VALID = Problem(
    "E-EVD-035",
    "a key that is not valid at this date",
    "A signature outside its key's validity is not covered by the trust file.",
    "ask the party to sign with its present key, or correct the dates in the trust file",
)
SAME_PARTY_TWICE = Problem(
    "E-EVD-036",
    "two signatures of one party",
    "Two keys of one party are one voice; counting them twice would fake agreement.",
    "keep one signature per party",
)
BELOW_THRESHOLD = Problem(
    "E-EVD-037",
    "too few parties have signed",
    "The trust file asks for more independent signatures than there are.",
    "have another trusted party sign, or lower the threshold in the trust file",
)
BAD_TRUST = Problem(
    "E-EVD-040",
    "a trust file that cannot be used",
    "Everything that is checked rests on this file, so nothing in it is guessed.",
    "correct the named field in {path}",
)
ROLES_COLLIDE = Problem(
    "E-EVD-041",
    "one party in two roles that must differ",
    "A party that checks itself is no check.",
    "give one of the two roles to another party in the trust file",
)
TRUST_EXISTS = Problem(
    "E-EVD-085",
    "a trust file that exists already",
    "Overwriting it would forget whom the reader believes and what the reader holds.",
    "choose another name, or look at it first: undersigned trust show {path}",
)
ALREADY_TRUSTED = Problem(
    "E-EVD-086",
    "a key that is in the trust file already",
    "A name must mean one key, and a key must have one name, or a signature could be read twice.",
    "undersigned trust show {path}, compare, and ask the owner which of the two is meant",
)
NO_SUCH_KEY = Problem(
    "E-EVD-087",
    "a key name that is not in the trust file",
    "A name means exactly one key; taking a similar one would believe or revoke the wrong one.",
    "take a name that this prints: undersigned trust show {path}",
)
LATER_REVOCATION = Problem(
    "E-EVD-088",
    "a revocation that would be moved to a later position",
    "What the key signed in between would count again, also what a thief signed.",
    "keep the earlier position, or repeat the command with --force if it was wrong",
)
UNKNOWN_SCHEME = Problem(
    "E-EVD-089",
    "a signing key of a kind that this program cannot open",
    "Only a key that can be opened can sign, and falling back to another would mislead.",
    "use one of the kinds named above; write file:PATH for a path that holds a colon",
)
BAD_DOSSIER = Problem(
    "E-EVD-050",
    "a dossier that cannot be read",
    "A container with ambiguous names or sizes can show two contents to two readers.",
    "ask for the dossier again, as a folder or as a plain zip",
)
BAD_DOSSIER_NAME = Problem(
    "E-EVD-051",
    "a file name that a dossier may not hold",
    "Names outside the plain alphabet, links and doubles can point outside or hide a file.",
    "rename or remove {file}",
)
DOSSIER_TOO_BIG = Problem(
    "E-EVD-052",
    "a dossier beyond the size limits",
    "Limits keep a hostile container from filling the reader's memory or disk.",
    "split the assessment into several dossiers",
)
NO_SUCH_FILE = Problem(
    "E-EVD-053",
    "a file that the dossier does not hold",
    "A missing file is a missing part of the evidence.",
    "ask for the whole dossier again",
)
DOSSIER_EXISTS = Problem(
    "E-EVD-054",
    "a dossier folder that is not empty",
    "Files left from before would be taken for evidence.",
    "choose another folder, or move {path} away first",
)

BAD_COSIGNATURE_TIME = Problem(
    "E-EVD-060",
    "a time that cannot be cosigned",
    "A cosignature says when a witness saw a checkpoint, so its clock must make sense.",
    "set the clock of this machine",
)
WITNESS_LOST = Problem(
    "E-EVD-061",
    "a witness without its state",
    "A witness that forgot what it cosigned could cosign another history.",
    "find {path} again; if it is lost, start a new witness with a new name and key",
)
WITNESS_DAMAGED = Problem(
    "E-EVD-062",
    "a witness state that is damaged",
    "What cannot be read exactly cannot show that a log only grew, and an older copy forgets.",
    "keep {path} for study, and start a new witness with a new name and key",
)
BAD_REQUEST = Problem(
    "E-EVD-063",
    "a request to a witness that is malformed",
    "Sizes, hashes and the checkpoint must be readable in exactly one way.",
    "send the old size, at most 63 hashes, an empty line and the signed checkpoint",
)
BAD_EQUIVOCATION = Problem(
    "E-EVD-064",
    "a proof of two histories that is malformed",
    "A charge this grave must be readable in exactly one way.",
    "ask whoever made the proof to write it again with undersigned",
)
OTHER_TREE = Problem(
    "E-EVD-065",
    "entries that are not those of the newer checkpoint",
    "Two histories are proven from the entries that the newer checkpoint covers.",
    "give the older checkpoint first, then the newer one with the entries of its own log",
)

STORE_CHANGED = Problem(
    "E-EVD-070",
    "a stored file that is not what was logged",
    "A file beside the log counts only while its bytes hash to the digest in the log.",
    "restore {path} from a copy; the log entry tells its digest and size",
)
BAD_PAYLOAD = Problem(
    "E-EVD-071",
    "a payload that is not packed as payloads are",
    "Without its salt a logged digest would reveal a payload that can be guessed.",
    "pack it with Store.keep_payload, with 32 random bytes as its salt",
)
BAD_RETENTION = Problem(
    "E-EVD-072",
    "a payload that could never be erased",
    "Payloads can hold personal data, so keeping them for ever is never promised.",
    "choose the retention term or erasable",
)
ERASE_FAILED = Problem(
    "E-EVD-073",
    "a payload that could not be erased",
    "Its bytes may still be on the disk, in whole or in part.",
    "fix permissions at {path}, then run the same command again",
)
EXPORT_OTHER = Problem(
    "E-EVD-074",
    "an export over something else",
    "A published log may only grow; another log or a newer state must not be overwritten.",
    "choose another folder than {path}",
)
INDEX_FAILED = Problem(
    "E-EVD-075",
    "an index that cannot be used",
    "Searching a log needs a file beside it that can be read and written.",
    "fix permissions at {path}, or delete it (it is rebuilt from the log)",
)
NO_ENTRY = Problem(
    "E-EVD-076",
    "an entry that the log does not hold, or not only once",
    "A proof is about exactly one entry.",
    "name the entry by its index; list them with: undersigned log show",
)
TORN_TAIL = Problem(
    "E-EVD-077",
    "a journal that ends in an unfinished commit",
    "It was never acknowledged; the next program that opens the log will cut it off.",
    "run a command that opens the log, for example: undersigned log checkpoint",
)
STATEMENT_MISSING = Problem(
    "E-EVD-078",
    "a statement that is not beside the log",
    "The log proves that it existed and when, but here nobody can read what it says.",
    "copy the statement from its dossier into the store folder of the log",
)
PAYLOAD_GONE = Problem(
    "E-EVD-079",
    "a payload that was erased or is missing",
    "The commitment and every proof still hold; the content can no longer be shown.",
    "nothing, if it was erased on purpose; else restore the file from a copy",
)
STORE_ORPHAN = Problem(
    "E-EVD-080",
    "a stored file that no entry names",
    "It was kept but never logged, so nothing proves that it existed.",
    "delete {path}, or log it again",
)
INDEX_STALE = Problem(
    "E-EVD-081",
    "an index that is not of the present log",
    "It is only a means to search; the journal is the truth.",
    "nothing: the next search brings it up to date (undersigned log show)",
)
NOT_EXAMINED = Problem(
    "E-EVD-082",
    "something that could not be examined",
    "What was not looked at is not known to hold.",
    "name a trust file that holds the key of the log: undersigned log fsck --trust FILE",
)
NO_COSIGNATURE = Problem(
    "E-EVD-083",
    "an answer without a cosignature that counts",
    "Only lines by witnesses in the trust file, over the present checkpoint, are kept.",
    "ask the witness again about the present state: undersigned log request",
)
NOT_CONFIRMED_ERASE = Problem(
    "E-EVD-084",
    "an erasure that was not confirmed",
    "What is erased cannot be brought back.",
    "run the same command with --yes",
)
FORMER_EVIDENCE = Problem(
    "E-EVD-090",
    "evidence that this program made under its former name",
    "Formats and seeds bear the program's name, so this version cannot verify it, and says nothing "
    "against whoever made it.",
    "verify it with the version that made it, commit 330191c of this repository: git worktree add "
    "../former 330191c, run ./demo there once, then use the command in its .venv/bin",
)
FORMER_TRUST = Problem(
    "E-EVD-091",
    "a trust file that this program wrote under its former name",
    "It says whom its reader believed as makers of other formats; whom to believe here is for the "
    "reader to say anew.",
    "keep {path} for what it was written for, and write a new one: undersigned trust init FILE, "
    "then undersigned trust add FILE",
)
FORMER_LOG = Problem(
    "E-EVD-092",
    "a log that this program kept under its former name",
    "Its entries bear the former name; whoever went on with it would give one log two meanings.",
    "leave {path} to the version that kept it; this one makes a log of its own with its first "
    "test, in a home folder of its own (undersigned doctor names it)",
)

VERIFIER = tuple(Problem(f"E-EVD-{number}", *texts) for number, texts in CODES.items())
"""The verifier's own codes, taken from its table so that each is explained."""

CONTRADICTED = next(problem for problem in VERIFIER if problem.code == "E-EVD-128")
"""Two states of one log that cannot both be true; the same problem for writer and verifier."""

ALL = (
    OUTSIDE_TREE,
    BAD_NOTE,
    BAD_NOTE_SIGNATURE,
    BAD_CHECKPOINT,
    BAD_VERIFIER_KEY,
    BAD_RECEIPT,
    BAD_KEY_NAME,
    KEY_EXPOSED,
    BAD_KEY,
    KEY_EXISTS,
    KEY_INSIDE,
    LOG_LOCKED,
    LOG_POISONED,
    LOG_DAMAGED,
    LOG_ROLLED_BACK,
    LOG_KEY,
    LOG_MISSING,
    LOG_EXISTS,
    BAD_ENTRY,
    LOG_WRITE,
    BAD_STATEMENT,
    BAD_SIGNATURE,
    UNKNOWN_KEY,
    NOT_ALLOWED,
    KEY_REVOKED,
    KEY_NOT_VALID,
    SAME_PARTY_TWICE,
    BELOW_THRESHOLD,
    BAD_TRUST,
    ROLES_COLLIDE,
    TRUST_EXISTS,
    ALREADY_TRUSTED,
    NO_SUCH_KEY,
    LATER_REVOCATION,
    UNKNOWN_SCHEME,
    BAD_DOSSIER,
    BAD_DOSSIER_NAME,
    DOSSIER_TOO_BIG,
    NO_SUCH_FILE,
    DOSSIER_EXISTS,
    BAD_COSIGNATURE_TIME,
    WITNESS_LOST,
    WITNESS_DAMAGED,
    BAD_REQUEST,
    BAD_EQUIVOCATION,
    OTHER_TREE,
    STORE_CHANGED,
    BAD_PAYLOAD,
    BAD_RETENTION,
    ERASE_FAILED,
    EXPORT_OTHER,
    INDEX_FAILED,
    NO_ENTRY,
    TORN_TAIL,
    STATEMENT_MISSING,
    PAYLOAD_GONE,
    STORE_ORPHAN,
    INDEX_STALE,
    NOT_EXAMINED,
    NO_COSIGNATURE,
    NOT_CONFIRMED_ERASE,
    FORMER_EVIDENCE,
    FORMER_TRUST,
    FORMER_LOG,
    *VERIFIER,
)
