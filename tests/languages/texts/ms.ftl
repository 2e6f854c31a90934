# Fixture: plain slots, functions, plural and string selection, a term, a reference.
balance = Akaun { $account } milik { $name } mempunyai baki { MONEY($balance) } pada { DATE($on) }.
transfer = Pindahkan { $amount } kepada { $payee } ({ $on }).
invoices = { $count ->
     [0] Tiada invois
    *[other] { NUMBER($count) } invois
    } menunggu { -bank }.
status = { $payee } { $status ->
     [approved] diluluskan
     [declined] ditolak
    *[other] belum selesai
    } 100 % { "{" }{ transfer }{ "}" }
greeting =
    Encik/Puan { $name },

      terima kasih.
closing = Yang benar
-bank = Bank Pelabuhan
