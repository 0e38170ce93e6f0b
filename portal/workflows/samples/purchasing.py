"""Templates of purchasing and suppliers."""

from __future__ import annotations

from portal.workflows.samples.parts import (
    HEADS,
    TEAM,
    TWO,
    Both,
    Echo,
    Sample,
    Schedule,
    Table,
    approve,
    approved,
    asked,
    change,
    choose,
    column,
    each,
    flow,
    keep,
    question,
    row,
    rows,
    side,
    step,
    task,
    tell,
    when,
)

APPROVAL = Sample(
    "purchase_approval", "stamp", "purchasing",
    "Purchase approval", "الموافقة على الشراء",
    "Asks the right people, and goes on by what they decide: ordered, sent back, refused, or nobody in time.",
    "يسأل أصحاب الصلاحية ثم يتابع بحسب قرارهم: طلب، أو إعادة للتعديل، أو رفض، أو انتهاء المهلة.",
    approve(
        "ask", ("May it be bought?", "هل يُشترى؟"), ("${ input.item }: ${ input.amount } SAR", "${ input.item }: ${ input.amount } ريال"),
        ("Supplier: ${ input.supplier }\nWhy: ${ input.reason }", "المورّد: ${ input.supplier }\nالسبب: ${ input.reason }"), HEADS,
        {
            "approve": [
                row("order", ("Note the purchase down", "تسجيل الشراء"), "purchases", item="${ input.item }", supplier="${ input.supplier }",
                    amount="${ input.amount }", approved_by="${ steps.ask.by }"),
                tell("tell_approved", "It can be ordered: ${ input.item }.", "يمكن طلب ${ input.item }.", severity="success"),
            ],
            "return": [tell("tell_returned", "${ input.item } was sent back: ${ steps.ask.note }", "أُعيد طلب ${ input.item } للتعديل: ${ steps.ask.note }", severity="warning")],
            "reject": [tell("tell_refused", "${ input.item } was refused: ${ steps.ask.note }", "رُفض ${ input.item }: ${ steps.ask.note }", severity="warning")],
            "expired": [tell("tell_late", "Nobody decided on ${ input.item } in time.", "لم يبتّ أحد في ${ input.item } في الوقت.", severity="error")],
        },
        may_return=True, limit=2, limit_unit="working_days", remind_h=8,
    ),
    (
        asked("item", "text", "What is needed", "المطلوب"), asked("supplier", "text", "Supplier", "المورّد"),
        asked("amount", "number", "Amount in SAR", "المبلغ بالريال"), asked("reason", "long_text", "Why", "السبب", required=False),
    ),
    (Table("purchases", "Purchases", "المشتريات", (
        column("item", "text", "Item", "الصنف"), column("supplier", "text", "Supplier", "المورّد"),
        column("amount", "number", "Amount", "المبلغ"), column("approved_by", "text", "Approved by", "وافق عليه"),
    )),),
)  # fmt: skip

CHECK = Sample(
    "supplier_check", "store", "purchasing",
    "New supplier check", "التحقق من مورّد جديد",
    "Asks another system about a new supplier and tells the right people what it answered.",
    "يستعلم من نظام آخر عن مورّد جديد، ويُبلغ المعنيين بالجواب.",
    flow(
        step("ask_registry", "webhook", ("Ask the registry", "الاستعلام من السجل"), method="POST", url=Echo("/suppliers"), headers=[],
             body='{"supplier": "${ input.supplier }", "registration": "${ input.registration }"}', if_cut_off="repeat"),
        keep("result", ("Keep the result", "حفظ النتيجة"), supplier="${ input.supplier }", accepted="${ steps.ask_registry.status == 200 }"),
        when("accepted", ("Accepted?", "هل قُبل؟"), "steps.result.accepted",
             [tell("tell_accepted", "${ input.supplier } can be ordered from.", "يمكن الطلب من ${ input.supplier }.", to="everyone", severity="success")],
             [tell("tell_refused", "${ input.supplier } needs a second look.", "يحتاج ${ input.supplier } إلى مراجعة ثانية.", severity="warning")]),
    ),
    (asked("supplier", "text", "Supplier", "المورّد"), asked("registration", "text", "Registration number", "رقم السجل التجاري")),
    days=1,
    needs=(Both("The address of your registry, in the step “Ask the registry”", "عنوان نظام الاستعلام لديكم، في خطوة «الاستعلام من السجل»"),),
)  # fmt: skip


OF_THIS_LIMIT = ("Approval of this limit", "موافقة صاحب الصلاحية")
PURCHASE = question(
    ("${ input.item }: ${ input.amount } SAR", "${ input.item }: ${ input.amount } ريال"),
    ("Budget line: ${ input.budget }\nWhy: ${ input.reason }", "بند الميزانية: ${ input.budget }\nالمبرر: ${ input.reason }"),
    four_eyes="starter", if_late="fail",
)  # fmt: skip
LIMITS = Sample(
    "purchase_limits", "tag", "purchasing",
    "Purchase request with limits", "طلب شراء وفق حدود الصلاحية",
    "Up to 5,000 SAR one person decides, up to 50,000 two, above that two and three quotations. Nobody decides on their own request.",
    "حتى 5,000 ريال يبتّ شخص واحد، وحتى 50,000 ريال شخصان، وما زاد يحتاج إلى ثلاثة عروض أسعار وموافقتين، ولا يبتّ أحد في طلبه.",
    flow(
        choose("limit", ("Which limit?", "أي حد صلاحية؟"), [
            (("Up to 5,000 SAR", "حتى 5000 ريال"), "input.amount <= 5000", [PURCHASE("small", OF_THIS_LIMIT, limit=2)]),
            (("Up to 50,000 SAR", "حتى 50000 ريال"), "input.amount <= 50000", [PURCHASE("medium", OF_THIS_LIMIT, **TWO, limit=3)]),
        ], [
            task("quotes", ("Get three quotations", "استدراج ثلاثة عروض أسعار"), ("Quotations: ${ input.item }", "عروض أسعار: ${ input.item }"),
                 ("Three comparable offers, and which one you propose.", "ثلاثة عروض قابلة للمقارنة، مع العرض الموصى به."), TEAM,
                 form=[asked("best", "text", "Proposed supplier", "المورّد الموصى به"), asked("price", "number", "Price in SAR", "السعر بالريال")], limit=5, if_late="fail"),
            PURCHASE("large", OF_THIS_LIMIT, **TWO, limit=5, escalate_h=16),
        ]),
        when("granted", ("Approved?", "هل اعتُمد؟"),
             approved("small", "medium", "large"),
             [row("order", ("Enter the order", "تسجيل أمر الشراء"), "purchase_orders", item="${ input.item }", amount="${ input.amount }", budget="${ input.budget }"),
              tell("tell_yes", "Approved: ${ input.item }. The order is entered.", "اعتُمد طلب ${ input.item } وسُجِّل أمر الشراء.", severity="success")],
             [tell("tell_no", "Not approved: ${ input.item }.", "لم يُعتمد طلب ${ input.item }.", severity="warning")]),
    ),
    (
        asked("item", "text", "What is needed", "المطلوب"), asked("amount", "number", "Amount in SAR", "المبلغ بالريال"),
        asked("budget", "text", "Budget line", "بند الميزانية"), asked("reason", "long_text", "Why", "المبرر"),
    ),
    (Table("purchase_orders", "Purchase orders", "أوامر الشراء", (
        column("item", "text", "Item", "الصنف"), column("amount", "number", "Amount", "المبلغ"), column("budget", "text", "Budget line", "بند الميزانية"),
    )),),
    days=30,
    needs=(Both("Your own limits, in the step “Which limit?”", "حدود الصلاحية المعتمدة لديكم، في خطوة «أي حد صلاحية؟»"),),
)  # fmt: skip

RISK = Sample(
    "supplier_risk", "shield-check", "purchasing",
    "Supplier risk assessment", "تقييم مخاطر المورّدين",
    "Finance, cybersecurity and data protection assess a supplier side by side; the points become a class, and a high risk needs two approvals.",
    "تقيّم المالية والأمن السيبراني وحماية البيانات المورّد في وقت واحد، وتُجمع النقاط في درجة، والمخاطر العالية تحتاج إلى موافقتين.",
    flow(
        side("assess", ("Assess side by side", "التقييم المتزامن"), *(
            [task(key, names, (f"{names[0]}: ${{ input.supplier }}", f"{names[1]}: ${{ input.supplier }}"), details, TEAM,
                  form=[asked("points", "number", "Points from 0 (no risk) to 10", "النقاط من 0 (لا مخاطر) إلى 10"), asked("why", "long_text", "Grounds", "المسوّغات", required=False)],
                  limit=7, if_late="fail", remind_h=48)]
            for key, names, details in (
                ("finance", ("Financial risk", "المخاطر المالية"), ("Commercial registration, zakat certificate, statements of two years.", "السجل التجاري، وشهادة الزكاة، والقوائم المالية لسنتين.")),
                ("cyber", ("Cybersecurity risk", "المخاطر السيبرانية"), ("Third-party controls of NCA ECC (4-1): access, incident notice, end of service.", "ضوابط الأطراف الخارجية في الضوابط الأساسية للأمن السيبراني (4-1): الوصول، والإبلاغ عن الحوادث، وإنهاء الخدمة.")),
                ("privacy", ("Data protection risk", "مخاطر حماية البيانات"), ("Which personal data, where it is kept, transfer outside the Kingdom, processing agreement.", "أنواع البيانات الشخصية، ومكان حفظها، ونقلها خارج المملكة، واتفاقية المعالجة.")),
            )
        )),
        keep("score", ("Add the points up", "جمع النقاط"), total="${ double(steps.finance.values.points) + double(steps.cyber.values.points) + double(steps.privacy.values.points) }"),
        when("high", ("High risk?", "هل المخاطر عالية؟"), "steps.score.total >= 15.0",
             [approve("accept", ("Two accept the risk", "قبول المخاطر من اثنين"), ("High risk: ${ input.supplier } (${ steps.score.total } of 30)", "مخاطر عالية: ${ input.supplier } (${ steps.score.total } من 30)"),
                      ("What the contract must say to lower the risk.", "ما الذي يجب أن يتضمنه العقد لخفض المخاطر؟"), TEAM, **TWO, limit=5, if_late="fail")]),
        row("note", ("Enter into the register", "القيد في سجل المخاطر"), "supplier_risks", supplier="${ input.supplier }", service="${ input.service }", points="${ steps.score.total }"),
        tell("tell", "${ input.supplier } was assessed: ${ steps.score.total } of 30 points.", "اكتمل تقييم ${ input.supplier }: ${ steps.score.total } من 30 نقطة."),
    ),
    (asked("supplier", "text", "Supplier", "المورّد"), asked("service", "text", "Service", "الخدمة")),
    (Table("supplier_risks", "Register of supplier risks", "سجل مخاطر المورّدين", (
        column("supplier", "text", "Supplier", "المورّد"), column("service", "text", "Service", "الخدمة"), column("points", "number", "Points", "النقاط"),
    )),),
    days=30,
)  # fmt: skip

RENEWAL = Sample(
    "contract_renewal", "refresh-cw", "purchasing",
    "Contract renewal", "تجديد العقود",
    "Goes through the contracts whose notice is due, asks the owner of each whether to renew, and keeps the answer in the register.",
    "يمرّ على العقود التي حان موعد الإشعار بشأنها، ويسأل مالك كل عقد عن التجديد، ويحفظ القرار في السجل.",
    flow(
        rows("due", ("Find the contracts to decide on", "البحث عن العقود المستحقة"), "contracts", state="due"),
        when("any", ("Is there any?", "هل توجد عقود؟"), "steps.due.count > 0",
             [each("contracts", ("For each contract", "لكل عقد"), "steps.due.rows",
                   task("decide", ("Renew or end?", "تجديد أم إنهاء؟"), ("${ item.title }: ends on ${ item.ends_on }", "${ item.title }: ينتهي في ${ item.ends_on }"),
                        ("Supplier: ${ item.supplier }, ${ item.amount } SAR a year. Look at service, price and alternatives.", "المورّد: ${ item.supplier }، ${ item.amount } ريال سنويًا. يُنظر في مستوى الخدمة والسعر والبدائل."), TEAM,
                        outcomes={"renew": ("Renew", "تجديد"), "negotiate": ("Negotiate first", "تفاوض أولًا"), "end": ("End", "إنهاء")}, limit=10, remind_h=72, escalate_h=40),
                   change("note", ("Keep the answer", "حفظ القرار"), "contracts", {"title": "${ item.title }"}, state="${ steps.decide.outcome }"),
                   at_once=10, if_fails="collect")]),
        tell("tell", "${ steps.due.count } contracts were gone through.", "رُوجعت العقود المستحقة، وعددها ${ steps.due.count }."),
    ),
    (),
    (Table("contracts", "Contracts", "العقود", (
        column("title", "text", "Contract", "العقد"), column("supplier", "text", "Supplier", "المورّد"), column("ends_on", "date", "Ends on", "ينتهي في"),
        column("amount", "number", "SAR a year", "القيمة السنوية"), column("state", "text", "State (“due” to be asked)", "الحالة (due: مستحق)"),
    )),),
    Schedule("First day of each month", "أول كل شهر", "0 8 1 * *"),
    days=30,
    needs=(Both("Rows in the table “Contracts”; those with the state “due” are asked about", "بيانات في جدول «العقود»، ويُسأل عن العقود التي حالتها «due»"),),
)  # fmt: skip

SAMPLES = (APPROVAL, CHECK, LIMITS, RISK, RENEWAL)
