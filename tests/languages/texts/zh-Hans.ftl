# Fixture: plain slots, functions, plural and string selection, a term, a reference.
balance = { $name } 的账户 { $account } 于 { DATE($on) } 的余额为 { MONEY($balance) }。
transfer = 请于 { $on } 向 { $payee } 转账 { $amount }。
invoices = { $count ->
     [0] 没有发票
    *[other] { NUMBER($count) } 张发票
    } 等待 { -bank } 处理。
status = { $payee }：{ $status ->
     [approved] 已批准
     [declined] 已拒绝
    *[other] 待处理
    } 100 % { "{" }{ transfer }{ "}" }
greeting =
    尊敬的 { $name },

      谢谢。
closing = 此致
-bank = 海港银行
