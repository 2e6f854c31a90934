# Fixture: plain slots, functions, plural and string selection, a term, a reference.
balance = Tài khoản { $account } của { $name } có { MONEY($balance) } vào { DATE($on) }.
transfer = Chuyển { $amount } cho { $payee } ({ $on }).
invoices = { $count ->
     [0] Không có hóa đơn
    *[other] { NUMBER($count) } hóa đơn
    } đang chờ { -bank }.
status = { $payee } { $status ->
     [approved] đã duyệt
     [declined] bị từ chối
    *[other] đang mở
    } 100 % { "{" }{ transfer }{ "}" }
greeting =
    Kính gửi { $name },

      xin cảm ơn.
closing = Trân trọng
-bank = Ngân hàng Cảng
