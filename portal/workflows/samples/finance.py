"""Templates of finance."""

from __future__ import annotations

from portal.workflows.samples.parts import (
    EMPLOYEE,
    OFFICE,
    TEAM,
    TWO,
    Both,
    Sample,
    Schedule,
    Table,
    approve,
    asked,
    choose,
    column,
    each,
    flow,
    keep,
    mail,
    question,
    row,
    rows,
    same,
    step,
    stop,
    task,
    tell,
    undecided,
    when,
)

INVOICES = """[{"customer": "شركة الواحة", "email": "wahah@nasij.example", "amount": 4200},
 {"customer": "Najd Paper Mills", "email": "no address", "amount": 900},
 {"customer": "مؤسسة الإتقان", "email": "itqan@nasij.example", "amount": 15300}]"""

OVERDUE = Sample(
    "overdue_invoices", "list-ordered", "finance",
    "Reminders of overdue invoices", "تذكير بالفواتير المتأخرة",
    "Goes through the open invoices, reminds each customer, and lists those whose reminder failed.",
    "يمرّ على الفواتير المفتوحة ويذكّر كل عميل، ويجمع ما تعذّر إرساله.",
    flow(
        each("each", ("For each invoice", "لكل فاتورة"), INVOICES,
             mail("remind", ("Remind the customer", "تذكير العميل"), "${ item.email }", ("Your invoice of ${ item.amount } SAR", "فاتورتكم بمبلغ ${ item.amount } ريال"),
                  ("Dear ${ item.customer },\n\nour invoice of ${ item.amount } SAR is overdue.", "السادة ${ item.customer }،\n\nتأخّر سداد فاتورتنا بمبلغ ${ item.amount } ريال."),
                  error=[keep("call_them", ("To be called instead", "يُتصل به بدلًا من ذلك"), customer="${ item.customer }", why="${ error.code }")]),
             at_once=2, if_fails="continue"),
        tell("tell", "${ steps.each.count } overdue invoices were gone through.", "رُوجعت الفواتير المتأخرة، وعددها ${ steps.each.count }."),
    ),
    (), (), Schedule("Every workday at eight", "كل يوم عمل عند الثامنة", "0 8 * * SUN-THU"),
    days=1,
    needs=(Both("Your own list of invoices, in the step “For each invoice”", "قائمة فواتيركم، في خطوة «لكل فاتورة»"),),
)  # fmt: skip

REPORT = Sample(
    "daily_report", "chart-column", "finance",
    "Daily report to a data table", "التقرير اليومي إلى جدول بيانات",
    "Works out the figures of a day, writes them into a data table and tells you when it is done.",
    "يحسب أرقام اليوم ويكتبها في جدول بيانات، ويُعلمك عند الانتهاء.",
    flow(
        keep("figures", ("Work out the figures", "حساب الأرقام"), average="${ input.orders > 0 ? double(input.revenue) / double(input.orders) : 0.0 }"),
        row("write_row", ("Write the report", "كتابة التقرير"), "daily_reports", day="${ input.day }", orders="${ input.orders }", revenue="${ input.revenue }", average="${ steps.figures.average }"),
        step("settle_down", "wait", ("Wait a moment", "انتظار قصير"), mode="for", amount=3, unit="seconds"),
        rows("count", ("Find this day's reports", "البحث عن تقارير اليوم"), "daily_reports", day="${ input.day }"),
        tell("tell_me", "The report of ${ input.day } is written (${ steps.count.count } that day).", "كُتب تقرير ${ input.day } (عدد تقارير اليوم: ${ steps.count.count }).", to="starter", names=("Tell who reported", "إشعار صاحب التقرير")),
    ),
    (asked("day", "date", "Day", "اليوم"), asked("orders", "number", "Orders", "عدد الطلبات"), asked("revenue", "number", "Revenue", "الإيراد")),
    (Table("daily_reports", "Daily reports", "التقارير اليومية", (
        column("day", "date", "Day", "اليوم"), column("orders", "number", "Orders", "الطلبات"), column("revenue", "number", "Revenue", "الإيراد"), column("average", "number", "Average order", "متوسط الطلب"),
    )),),
    days=1,
)  # fmt: skip

MATCHING = Sample(
    "invoice_matching", "file-spreadsheet", "finance",
    "Invoice matching", "مطابقة الفواتير",
    "Order, receipt and invoice: what fits within the tolerance is released, what does not is cleared up with the supplier first.",
    "مطابقة أمر الشراء ومحضر الاستلام والفاتورة: ما طابق ضمن السماحية يُصرف، وما اختلف يُسوّى مع المورّد أولًا.",
    flow(
        keep("rules", ("Tolerance in percent: change it here", "نسبة السماحية: تُعدَّل هنا"), percent="${ 2.0 }", vat="${ 15.0 }"),
        task("receipt", ("Confirm the receipt", "تأكيد الاستلام"), ("Received? ${ input.order }", "هل استُلم ${ input.order }؟"), ("Supplier: ${ input.supplier }", "المورّد: ${ input.supplier }"), TEAM, form=[asked("received", "number", "Value received in SAR, without VAT", "قيمة المستلَم بالريال دون الضريبة")], limit=3, if_late="fail", remind_h=24),
        keep("match", ("Match the three", "المطابقة الثلاثية"),
             off="${ double(input.amount) == 0.0 ? 100.0 : (double(input.amount) - double(steps.receipt.values.received)) / double(input.amount) * 100.0 }",
             total="${ double(input.amount) * (1.0 + steps.rules.vat / 100.0) }"),
        when("fits", ("Within the tolerance?", "ضمن السماحية؟"), "steps.match.off <= steps.rules.percent && steps.match.off >= -steps.rules.percent",
             [keep("ok", ("It fits", "مطابقة"), fits="yes")],
             [task("clear", ("Clear up the difference", "تسوية الفرق"), ("Difference of ${ steps.match.off } %: ${ input.invoice }", "فرق ${ steps.match.off }٪: ${ input.invoice }"), ("Ask the supplier for a credit note or a new e-invoice.", "يُطلب من المورّد إشعار دائن أو فاتورة إلكترونية معدّلة."), TEAM, outcomes={"cleared": ("Cleared up", "سُوّي الفرق"), "refuse": ("Send back", "تُعاد الفاتورة")}, limit=10)]),
        approve("release", ("Release the payment", "اعتماد الصرف"), ("${ input.invoice }: ${ steps.match.total } SAR with VAT", "${ input.invoice }: ${ steps.match.total } ريال شامل الضريبة"), ("Supplier: ${ input.supplier }, order ${ input.order }.", "المورّد: ${ input.supplier }، أمر الشراء ${ input.order }."), TEAM,
                {"approve": [row("pay", ("Enter for payment", "القيد للصرف"), "payments", invoice="${ input.invoice }", supplier="${ input.supplier }", amount="${ steps.match.total }")],
                 "reject": [tell("held", "Held back: ${ input.invoice }: ${ steps.release.note }", "عُلّقت الفاتورة ${ input.invoice }: ${ steps.release.note }", severity="warning")]},
                four_eyes="deciders", limit=3),
    ),
    (asked("invoice", "text", "Number of the invoice", "رقم الفاتورة"), asked("order", "text", "Purchase order", "أمر الشراء"), asked("supplier", "text", "Supplier", "المورّد"), asked("amount", "number", "Amount without VAT in SAR", "المبلغ دون الضريبة بالريال")),
    (Table("payments", "Payments to make", "مستحقات للصرف", (
        column("invoice", "text", "Invoice", "الفاتورة"), column("supplier", "text", "Supplier", "المورّد"), column("amount", "number", "Amount", "المبلغ"),
    )),),
    days=30,
)  # fmt: skip

EXPENSE = Sample(
    "expense_claim", "ticket", "finance",
    "Expense claim", "مطالبة مالية بمصروفات",
    "Receipts are checked; up to 500 SAR that is enough, above it the manager decides as well; then paid with the next payroll.",
    "تُراجَع الإيصالات، ويُكتفى بذلك حتى 500 ريال، وما زاد يعتمده المدير، ثم تُصرف مع مسيّر الرواتب التالي.",
    flow(
        task("receipts", ("Check the receipts", "مراجعة الإيصالات"), ("Receipts: ${ input.employee }, ${ input.amount } SAR", "إيصالات ${ input.employee }: ${ input.amount } ريال"), same("${ input.what }"), TEAM,
             {"fine": [
                 when("large", ("Above 500 SAR?", "أكثر من 500 ريال؟"), "input.amount > 500",
                      [approve("manager", ("The manager approves", "اعتماد المدير"), ("Expenses: ${ input.employee }, ${ input.amount } SAR", "مصروفات ${ input.employee }: ${ input.amount } ريال"), same("${ input.what }"), TEAM,
                               {"reject": [stop("no", ("Refused", "رُفضت المطالبة"), "The claim was refused.", "رُفضت المطالبة.")],
                                "expired": [undecided("late", "لم يُبتّ في المطالبة")]}, four_eyes="both", limit=3)]),
                 row("pay", ("Enter for payroll", "القيد للصرف"), "expenses", employee="${ input.employee }", what="${ input.what }", amount="${ input.amount }"),
                 mail("told", ("Tell the employee", "إشعار الموظف"), "${ input.employee_email }", ("Your expenses are approved", "اعتُمدت مطالبتك"), ("Hello ${ input.employee },\n\n${ input.amount } SAR are paid with the next payroll.", "مرحبًا ${ input.employee }،\n\nسيُصرف مبلغ ${ input.amount } ريال مع مسيّر الرواتب القادم.")),
             ],
              "missing": [mail("ask", ("Ask for receipts", "طلب الإيصالات"), "${ input.employee_email }", ("Receipts are missing", "إيصالات ناقصة"), ("Hello ${ input.employee },\n\n${ steps.receipts.note }", "مرحبًا ${ input.employee }،\n\n${ steps.receipts.note }"))]},
             outcomes={"fine": ("In order", "سليمة"), "missing": ("Something is missing", "يوجد نقص")}, limit=3),
    ),
    (*EMPLOYEE, asked("what", "long_text", "What for", "بيان المصروفات"), asked("amount", "number", "Amount in SAR", "المبلغ بالريال")),
    (Table("expenses", "Expenses", "المصروفات", (
        column("employee", "text", "Employee", "الموظف"), column("what", "text", "What for", "البيان"), column("amount", "number", "Amount", "المبلغ"),
    )),),
)  # fmt: skip

TRANSFER = question(
    ("${ input.source } → ${ input.target }: ${ input.amount } SAR", "${ input.source } ← ${ input.target }: ${ input.amount } ريال"),
    ("Left: ${ steps.left.values.left } SAR", "المتبقي: ${ steps.left.values.left } ريال"), if_late="fail",
)  # fmt: skip
BUDGET = Sample(
    "budget_transfer", "arrow-up-down", "finance",
    "Budget transfer", "مناقلة بين بنود الميزانية",
    "Finance checks what is left on the line; both owners agree side by side; above the limit all of the heads decide.",
    "تتحقق المالية من المتبقي في البند، ثم يوافق مالكا البندين، وما تجاوز الحد يعتمده شخصان من الإدارة.",
    flow(
        task("left", ("Check what is left", "التحقق من المتبقي"), ("From ${ input.source } to ${ input.target }: ${ input.amount } SAR", "من ${ input.source } إلى ${ input.target }: ${ input.amount } ريال"), same("${ input.reason }"), TEAM, form=[asked("left", "number", "Left on the line in SAR", "المتبقي في البند بالريال")], limit=3, if_late="fail"),
        when("enough", ("Is it enough?", "هل يكفي الرصيد؟"), "steps.left.values.left >= input.amount", [],
             [stop("short", ("Not enough", "الرصيد لا يكفي"), "The line does not hold that much.", "رصيد البند لا يكفي.")]),
        choose("level", ("Who decides?", "من صاحب الصلاحية؟"), [
            (("Up to 100,000 SAR", "حتى 100000 ريال"), "input.amount <= 100000", [TRANSFER("one", ("Approve the transfer", "اعتماد المناقلة"), four_eyes="deciders", limit=3)]),
        ], [TRANSFER("two", ("Two approve the transfer", "اعتماد المناقلة من اثنين"), **TWO, limit=5)]),
        row("note", ("Enter the decision", "قيد القرار"), "transfers", source="${ input.source }", target="${ input.target }", amount="${ input.amount }", outcome="${ has(steps.one) ? steps.one.outcome : steps.two.outcome }"),
        tell("tell", "The transfer from ${ input.source } to ${ input.target } was decided.", "بُتّ في المناقلة من ${ input.source } إلى ${ input.target }."),
    ),
    (asked("source", "text", "From line", "من بند"), asked("target", "text", "To line", "إلى بند"), asked("amount", "number", "Amount in SAR", "المبلغ بالريال"), asked("reason", "long_text", "Why", "المبرر")),
    (Table("transfers", "Budget transfers", "المناقلات", (
        column("source", "text", "From", "من بند"), column("target", "text", "To", "إلى بند"), column("amount", "number", "Amount", "المبلغ"), column("outcome", "text", "Decision", "القرار"),
    )),),
    days=30,
)  # fmt: skip

PETTY = Sample(
    "petty_cash", "tag", "finance",
    "Petty cash", "العهدة النقدية",
    "Small amounts at once, the receipt within five working days; what is not accounted for goes to the head of finance.",
    "صرف المبالغ الصغيرة مباشرة، وتسويتها بالإيصال خلال خمسة أيام عمل، وما لم يُسوَّ يُرفع إلى مدير المالية.",
    flow(
        approve("give", ("Give it out?", "هل يُصرف المبلغ؟"), ("${ input.amount } SAR for ${ input.employee }", "${ input.amount } ريال إلى ${ input.employee }"), same("${ input.what }"), OFFICE,
                {"reject": [stop("no", ("Refused", "رُفض الطلب"), "Refused.", "رُفض الطلب.")],
                 "expired": [undecided("late", "لم يُبتّ في الطلب")]}, limit=1),
        task("settle", ("Account for it", "تسوية العهدة"), ("Receipt of ${ input.employee }: ${ input.amount } SAR", "إيصال ${ input.employee }: ${ input.amount } ريال"), ("Receipt with the VAT number of the shop, and the change.", "إيصال فيه الرقم الضريبي للمتجر، مع إعادة المتبقي."), TEAM, form=[asked("spent", "number", "Spent in SAR", "المصروف بالريال")], limit=5, remind_h=24, escalate_h=24, if_late="fail"),
        row("note", ("Enter into the cash book", "القيد في دفتر النقدية"), "petty_cash", employee="${ input.employee }", what="${ input.what }", given="${ input.amount }", spent="${ steps.settle.values.spent }"),
        when("change", ("Is there change?", "هل بقي مبلغ؟"), "double(steps.settle.values.spent) < double(input.amount)", [tell("bring", "${ input.employee } brings back ${ double(input.amount) - double(steps.settle.values.spent) } SAR.", "يعيد ${ input.employee } مبلغ ${ double(input.amount) - double(steps.settle.values.spent) } ريال.")]),
    ),
    (asked("employee", "text", "Employee", "الموظف"), asked("what", "text", "What for", "الغرض"), asked("amount", "number", "Amount in SAR", "المبلغ بالريال")),
    (Table("petty_cash", "Petty cash", "العهد النقدية", (
        column("employee", "text", "Employee", "الموظف"), column("what", "text", "What for", "الغرض"), column("given", "number", "Given", "المنصرف"), column("spent", "number", "Spent", "المستخدم"),
    )),),
)  # fmt: skip

SAMPLES = (OVERDUE, REPORT, MATCHING, EXPENSE, BUDGET, PETTY)
