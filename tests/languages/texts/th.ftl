# Fixture: plain slots, functions, plural and string selection, a term, a reference.
balance = บัญชี { $account } ของ { $name } มียอด { MONEY($balance) } ณ วันที่ { DATE($on) }
transfer = โอน { $amount } ให้ { $payee } ({ $on })
invoices = { $count ->
     [0] ไม่มีใบแจ้งหนี้
    *[other] ใบแจ้งหนี้ { NUMBER($count) } ฉบับ
    } รอ { -bank }
status = { $payee } { $status ->
     [approved] อนุมัติแล้ว
     [declined] ถูกปฏิเสธ
    *[other] รอดำเนินการ
    } 100 % { "{" }{ transfer }{ "}" }
greeting =
    เรียน { $name },

      ขอบคุณ
closing = ขอแสดงความนับถือ
-bank = ธนาคารท่าเรือ
