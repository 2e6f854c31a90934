# Fixture: plain slots, functions, plural and string selection, a term, a reference.
balance = { $name } என்பவரின் கணக்கு { $account } இல் { DATE($on) } அன்று { MONEY($balance) } உள்ளது.
transfer = { $on } அன்று { $payee } க்கு { $amount } அனுப்பவும்.
invoices = { $count ->
     [0] விலைப்பட்டியல் இல்லை
     [one] ஒரு விலைப்பட்டியல்
    *[other] { NUMBER($count) } விலைப்பட்டியல்கள்
    } { -bank } இல் நிலுவையில்.
status = { $payee }{ "" }: { $status ->
     [approved] ஏற்கப்பட்டது
     [declined] மறுக்கப்பட்டது
    *[other] நிலுவையில்
    } 100 % { "{" }{ transfer }{ "}" }
greeting =
    அன்புள்ள { $name },

      நன்றி.
closing = இப்படிக்கு
-bank = துறைமுக வங்கி
