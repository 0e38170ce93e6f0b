"""Templates of customer care."""

from __future__ import annotations

from portal.workflows.samples.parts import (
    OFFICE,
    TEAM,
    TWO,
    Both,
    Sample,
    Schedule,
    Table,
    approved,
    asked,
    change,
    column,
    each,
    flow,
    mail,
    question,
    row,
    rows,
    same,
    step,
    task,
    tell,
    when,
)

CUSTOMER = (asked("customer", "text", "Customer", "العميل"), asked("email", "email", "Customer's e-mail", "بريد العميل"))

COMPLAINT = Sample(
    "complaint", "messages-square", "customers",
    "Complaint handling", "معالجة شكوى عميل",
    "Receipt at once, an owner and an answer within five working days, escalated in time; a second look if the customer is not content.",
    "إشعار فوري بالاستلام، ومسؤول عن الشكوى ورد خلال خمسة أيام عمل مع التصعيد في وقته، ومراجعة ثانية إن لم يرضَ العميل.",
    flow(
        row("open", ("Enter the complaint", "قيد الشكوى"), "complaints", number="${ input.number }", customer="${ input.customer }", state="open"),
        mail("receipt", ("Confirm the receipt", "إشعار الاستلام"), "${ input.email }", ("Your complaint ${ input.number }", "شكواك رقم ${ input.number }"), ("Dear ${ input.customer },\n\nwe are sorry. You hear from us within five working days.", "عزيزنا ${ input.customer }،\n\nنعتذر عما حدث، وسنوافيك بالرد خلال خمسة أيام عمل."),
             error=[tell("no_mail", "${ input.customer } could not be told by mail: please call.", "تعذّر إشعار ${ input.customer } بالبريد، يُرجى الاتصال به.", severity="warning")]),
        task("solve", ("Find the cause, propose a solution", "بحث السبب واقتراح الحل"), ("Complaint ${ input.number }: ${ input.customer }", "شكوى ${ input.number }: ${ input.customer }"), same("${ input.text }"), TEAM, form=[asked("cause", "text", "Cause", "السبب"), asked("answer", "long_text", "Answer to the customer", "الرد على العميل")], limit=5, remind_h=24, escalate_h=24, if_late="fail"),
        mail("answer", ("Answer the customer", "الرد على العميل"), "${ input.email }", ("Your complaint ${ input.number }", "شكواك رقم ${ input.number }"), ("Dear ${ input.customer },\n\n${ steps.solve.values.answer }", "عزيزنا ${ input.customer }،\n\n${ steps.solve.values.answer }")),
        task("content", ("Is the customer content?", "هل العميل راضٍ؟"), ("Call ${ input.customer }", "الاتصال بالعميل ${ input.customer }"), ("Complaint ${ input.number }", "الشكوى رقم ${ input.number }"), TEAM,
             {"content": [change("close", ("Close the complaint", "إقفال الشكوى"), "complaints", {"number": "${ input.number }"}, state="closed")],
              "not_content": [task("second", ("Second look by a head", "مراجعة ثانية من الإدارة"), ("Second look: ${ input.number }", "مراجعة ثانية: ${ input.number }"), ("Cause so far: ${ steps.solve.values.cause }", "السبب المسجَّل: ${ steps.solve.values.cause }"), OFFICE, four_eyes="deciders", limit=3),
                              change("close_second", ("Close the complaint", "إقفال الشكوى"), "complaints", {"number": "${ input.number }"}, state="closed_by_head")]},
             outcomes={"content": ("Content", "راضٍ"), "not_content": ("Not content", "غير راضٍ")}, limit=3),
    ),
    (asked("number", "text", "Number of the complaint", "رقم الشكوى"), *CUSTOMER, asked("text", "long_text", "What it is about", "موضوع الشكوى")),
    (Table("complaints", "Complaints", "الشكاوى", (
        column("number", "text", "Number", "الرقم"), column("customer", "text", "Customer", "العميل"), column("state", "text", "State", "الحالة"),
    )),),
    days=30,
)  # fmt: skip

PAY_BACK = question(
    ("Refund: ${ input.amount } SAR to ${ input.customer }", "استرداد ${ input.amount } ريال إلى ${ input.customer }"),
    ("Order ${ input.order }", "الطلب ${ input.order }"), limit=2, if_late="fail",
)  # fmt: skip
REFUND = Sample(
    "refund", "undo-2", "customers",
    "Refund", "استرداد مبلغ",
    "Checks the claim, takes one decision up to 1,000 SAR and two above, never by who began it, and tells the customer each time.",
    "يتحقق من الاستحقاق، ويكتفي بقرار واحد حتى 1,000 ريال وقرارين لما زاد، دون مشاركة من بدأ الطلب، مع إشعار العميل.",
    flow(
        task("check", ("Check the claim", "التحقق من الاستحقاق"), ("Refund ${ input.order }: ${ input.amount } SAR", "استرداد الطلب ${ input.order }: ${ input.amount } ريال"), same("${ input.reason }"), TEAM, outcomes={"due": ("Due", "مستحق"), "not_due": ("Not due", "غير مستحق")}, limit=2, if_late="fail"),
        when("due", ("Is it due?", "هل هو مستحق؟"), "steps.check.outcome == 'due'",
             [when("large", ("Above 1,000 SAR?", "أكثر من 1000 ريال؟"), "input.amount > 1000",
                   [PAY_BACK("two", ("Two approve", "اعتماد اثنين"), **TWO, four_eyes="starter")],
                   [PAY_BACK("one", ("One approves", "اعتماد واحد"), four_eyes="both")]),
              when("yes", ("Approved?", "هل اعتُمد؟"), approved("one", "two"),
                   [task("pay", ("Pay back", "تنفيذ الاسترداد"), ("Pay ${ input.amount } SAR back to ${ input.customer }", "إعادة ${ input.amount } ريال إلى ${ input.customer }"), ("By the way in which it was paid.", "بوسيلة الدفع نفسها."), form=[asked("reference", "text", "Reference", "رقم العملية")], limit=3, if_late="fail"),
                    row("note", ("Note the refund", "قيد الاسترداد"), "refunds", order="${ input.order }", customer="${ input.customer }", amount="${ input.amount }", reference="${ steps.pay.values.reference }"),
                    mail("paid", ("Tell the customer", "إشعار العميل"), "${ input.email }", ("Your refund", "استرداد المبلغ"), ("Dear ${ input.customer },\n\n${ input.amount } SAR are on their way to you.", "عزيزنا ${ input.customer }،\n\nأُعيد إليك مبلغ ${ input.amount } ريال، ويصل بحسب إجراءات مصرفك."))],
                   [mail("no", ("Tell the customer", "الاعتذار للعميل"), "${ input.email }", ("Your claim", "بشأن طلب الاسترداد"), ("Dear ${ input.customer },\n\nwe cannot pay back this amount.", "عزيزنا ${ input.customer }،\n\nنعتذر عن تلبية طلب الاسترداد."))])],
             [mail("not_due", ("Explain to the customer", "الإيضاح للعميل"), "${ input.email }", ("Your claim", "بشأن طلب الاسترداد"), ("Dear ${ input.customer },\n\n${ steps.check.note }", "عزيزنا ${ input.customer }،\n\n${ steps.check.note }"))]),
    ),
    (*CUSTOMER, asked("order", "text", "Order", "رقم الطلب"), asked("amount", "number", "Amount in SAR", "المبلغ بالريال"), asked("reason", "long_text", "Why", "السبب")),
    (Table("refunds", "Refunds", "المبالغ المستردة", (
        column("order", "text", "Order", "الطلب"), column("customer", "text", "Customer", "العميل"), column("amount", "number", "Amount", "المبلغ"), column("reference", "text", "Reference", "رقم العملية"),
    )),),
)  # fmt: skip

CALL = Sample(
    "satisfaction_call", "phone-incoming", "customers",
    "Satisfaction call", "اتصال قياس رضا العميل",
    "Calls the customers on the list, keeps their points, works out the average, and makes a task of each unhappy one.",
    "اتصال بالعملاء المدرجين وحفظ تقييماتهم وحساب المتوسط، ومهمة متابعة لكل عميل غير راضٍ.",
    flow(
        rows("list", ("Read the list of calls", "قراءة قائمة الاتصال"), "calls", state="due"),
        each("calls", ("For each customer", "لكل عميل"), "steps.list.rows",
             task("call", ("Call", "الاتصال"), ("Call ${ item.customer }: ${ item.phone }", "الاتصال بالعميل ${ item.customer }: ${ item.phone }"), ("How likely is it that you recommend us, 0 to 10? Why?", "ما احتمال أن توصي بنا من 0 إلى 10؟ ولماذا؟"), TEAM,
                  {"reached": [
                      change("points", ("Keep the points", "حفظ التقييم"), "calls", {"customer": "${ item.customer }"}, state="done", points="${ steps.call.values.points }"),
                      when("unhappy", ("Not content?", "غير راضٍ؟"), "steps.call.values.points <= 6", [task("care", ("Care for the customer", "متابعة العميل"), ("Not content: ${ item.customer }", "عميل غير راضٍ: ${ item.customer }"), same("${ steps.call.values.why }"), limit=3)]),
                  ],
                   "missed": [change("later", ("Call again later", "إعادة الاتصال لاحقًا"), "calls", {"customer": "${ item.customer }"}, state="due")]},
                  form=[asked("points", "number", "Points, 0 to 10", "التقييم من 0 إلى 10"), asked("why", "text", "Why", "السبب", required=False)], outcomes={"reached": ("Reached", "تم الاتصال"), "missed": ("Not reached", "لم يردّ")}, limit=3),
             at_once=10, if_fails="continue"),
        rows("done", ("Read the points", "قراءة التقييمات"), "calls", state="done"),
        step("average", "aggregate", ("Work out the average", "حساب المتوسط"), list="steps.done.rows", groups=[], figures=[{"name": "calls", "value": "count()"}, {"name": "average", "value": "avg(item.points)"}]),
        tell("tell", "${ steps.list.count } customers were called.", "جرى الاتصال بالعملاء، وعددهم ${ steps.list.count }."),
    ),
    (),
    (Table("calls", "Satisfaction calls", "اتصالات قياس الرضا", (
        column("customer", "text", "Customer", "العميل"), column("phone", "text", "Telephone", "الهاتف"), column("state", "text", "State (“due” to be called)", "الحالة (due: يُتصل به)"), column("points", "number", "Points", "التقييم"),
    )),),
    Schedule("Every Sunday at nine", "كل أحد عند التاسعة", "0 9 * * SUN"),
    days=14,
    needs=(Both("Rows in the table “Satisfaction calls” with the state “due”", "بيانات في جدول «اتصالات قياس الرضا» حالتها «due»"),),
)  # fmt: skip

SAMPLES = (COMPLAINT, REFUND, CALL)
