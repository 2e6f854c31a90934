# Fixture: plain slots, functions, plural and string selection, a term, a reference.
balance = Rekening { $account } atas nama { $name } bersaldo { MONEY($balance) } per { DATE($on) }.
transfer = Transfer { $amount } ke { $payee } ({ $on }).
invoices = { $count ->
     [0] Tidak ada faktur
    *[other] { NUMBER($count) } faktur
    } menunggu { -bank }.
status = { $payee } { $status ->
     [approved] disetujui
     [declined] ditolak
    *[other] belum selesai
    } 100 % { "{" }{ transfer }{ "}" }
greeting =
    Yth. { $name },

      terima kasih.
closing = Hormat kami
-bank = Bank Pelabuhan
