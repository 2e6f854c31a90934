# Fixture: plain slots, functions, plural and string selection, a term, a reference.
balance = Account { $account } of { $name } holds { MONEY($balance) } on { DATE($on) }.
transfer = Transfer { $amount } to { $payee } ({ $on }).
invoices = { $count ->
     [0] No invoice is
     [one] One invoice is
    *[other] { NUMBER($count) } invoices are
    } waiting for { -bank }.
status = { $payee } is { $status ->
     [approved] approved
     [declined] declined
    *[other] open
    } 100 % { "{" }{ transfer }{ "}" }
greeting =
    Dear { $name },

      thank you.
closing = Yours sincerely
-bank = Harbour Bank
