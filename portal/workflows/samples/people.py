"""Templates of human resources."""

from __future__ import annotations

from portal.workflows.samples.parts import (
    EMPLOYEE,
    OFFICE,
    TEAM,
    TWO,
    Both,
    Sample,
    Steps,
    Table,
    approve,
    asked,
    column,
    flow,
    mail,
    question,
    row,
    side,
    step,
    stop,
    task,
    tell,
    undecided,
    when,
)

LEAVE = Sample(
    "leave_request", "calendar-check", "people",
    "Employee leave request", "طلب إجازة موظف",
    "Long leaves go to the manager by e-mail, short ones are confirmed at once; all are noted in a data table.",
    "تُرسَل الإجازات الطويلة إلى المدير بالبريد، وتُؤكَّد القصيرة فورًا، وتُسجَّل كلها في جدول بيانات.",
    flow(
        when(
            "long_leave", ("More than 5 days?", "أكثر من 5 أيام؟"), "input.days > 5",
            [mail(
                "ask_manager", ("Ask the manager", "مراسلة المدير"), "${ input.manager_email }",
                ("${ input.employee } asks for ${ input.days } days of leave", "${ input.employee } يطلب إجازة مدتها ${ input.days } يوم"),
                (
                    "${ input.employee } asks for ${ input.days } days of leave from ${ input.starts_on }.\n\nReason: ${ input.reason }",
                    "${ input.employee } يطلب إجازة تبدأ في ${ input.starts_on } ومدتها ${ input.days } يوم.\n\nالسبب: ${ input.reason }",
                ),
            )],
            [mail(
                "confirm", ("Confirm to the employee", "تأكيد الطلب للموظف"), "${ input.employee_email }",
                ("Your leave of ${ input.days } days is noted", "سُجِّلت إجازتك (${ input.days } يوم)"),
                (
                    "Hello ${ input.employee },\n\nyour leave from ${ input.starts_on } is noted. No approval is needed.",
                    "مرحبًا ${ input.employee }،\n\nسُجِّلت إجازتك التي تبدأ في ${ input.starts_on }، ولا تحتاج إلى موافقة.",
                ),
            )],
        ),
        row(
            "note_down", ("Note the request down", "تسجيل الطلب"), "leave_requests", employee="${ input.employee }", days="${ input.days }",
            starts_on="${ input.starts_on }", needs_manager="${ steps.long_leave.result }",
        ),
        tell(
            "tell_me", "The leave request of ${ input.employee } (${ input.days } days) is on its way.",
            "طلب إجازة ${ input.employee } (${ input.days } يوم) قيد المعالجة.", to="starter", severity="success",
        ),
    ),
    (
        *EMPLOYEE, asked("manager_email", "email", "Manager's e-mail", "بريد المدير"), asked("days", "number", "Days", "عدد الأيام"),
        asked("starts_on", "date", "First day", "أول يوم"), asked("reason", "long_text", "Reason", "السبب", required=False),
    ),
    (Table("leave_requests", "Leave requests", "طلبات الإجازة", (
        column("employee", "text", "Employee", "الموظف"), column("days", "number", "Days", "عدد الأيام"),
        column("starts_on", "date", "Starts on", "تبدأ في"), column("needs_manager", "boolean", "Needs the manager", "تحتاج إلى المدير"),
    )),),
    days=1,
)  # fmt: skip

PREPARED = {"done": ("Done", "تم"), "not_possible": ("Not possible", "غير ممكن")}
COLLEAGUE = Sample(
    "new_colleague", "user-plus", "people",
    "First day of a new colleague", "اليوم الأول لزميل جديد",
    "Gives the desk and the accounts to prepare to two people at once, and says when all is ready.",
    "يوزّع تجهيز المكتب وإنشاء الحسابات في وقت واحد، ثم يُعلِم الجميع باكتمال الاستعداد.",
    flow(
        side(
            "ready", ("Prepare at the same time", "التجهيز في وقت واحد"),
            [task(
                "desk", ("Prepare the desk", "تجهيز المكتب"), ("A desk and a laptop for ${ input.name }", "مكتب وحاسوب من أجل ${ input.name }"),
                ("", ""), form=[asked("serial", "text", "Serial number of the laptop", "الرقم التسلسلي للحاسوب")], outcomes=PREPARED,
                limit=3, limit_unit="working_days", escalate_h=8, escalate_to=["role:owner"],
            )],
            [task(
                "accounts", ("Set up the accounts", "إنشاء الحسابات"),
                ("Accounts for ${ input.name } (${ input.department })", "حسابات ${ input.name } (${ input.department })"), ("", ""),
                outcomes=PREPARED, limit=3, limit_unit="working_days", escalate_h=8, escalate_to=["role:owner"],
            )],
        ),
        tell(
            "tell", "${ input.name } begins on ${ input.starts_on }: everything is ready.",
            "ينضم ${ input.name } إلينا في ${ input.starts_on }، وكل شيء جاهز.", to="everyone", severity="success",
        ),
    ),
    (
        asked("name", "text", "Name", "الاسم"), asked("department", "text", "Department", "القسم"),
        asked("starts_on", "date", "First day", "أول يوم"),
    ),
    days=30,
)  # fmt: skip

ONBOARDING = Sample(
    "onboarding", "users", "people",
    "Onboarding to the end of the first week", "تهيئة موظف جديد حتى نهاية أسبوعه الأول",
    "Contract and papers first; then accounts, equipment and an induction side by side; a welcome mail; and a talk after the first week.",
    "تبدأ بالعقد والمستندات، ثم الحسابات والعهدة والبرنامج التعريفي معًا، فرسالة ترحيب، وتُختَم بلقاء متابعة بعد الأسبوع الأول.",
    flow(
        task(
            "papers", ("Complete the employee's file", "استكمال ملف الموظف"), ("Employee's file of ${ input.name }", "ملف الموظف: ${ input.name }"),
            (
                "Signed contract, copy of the ID or iqama, IBAN certificate, registration with GOSI and Muqeem where it applies.",
                "العقد الموقّع، وصورة الهوية أو الإقامة، وشهادة الآيبان، والتسجيل في التأمينات الاجتماعية، وفي مقيم عند الحاجة.",
            ),
            form=[asked("employee_number", "text", "Employee number", "الرقم الوظيفي")],
            outcomes={"complete": ("File complete", "اكتمل الملف"), "missing": ("Papers are missing", "مستندات ناقصة")},
            lanes={"missing": [mail(
                "ask_papers", ("Ask for the missing papers", "طلب المستندات الناقصة"), "${ input.email }",
                ("Papers that we still need from you", "مستندات نحتاجها منك"),
                ("Hello ${ input.name },\n\nwe still need: ${ steps.papers.note }", "مرحبًا ${ input.name }،\n\nنأمل تزويدنا بما يلي: ${ steps.papers.note }"),
            )]},
            limit=5, remind_h=24,
        ),
        side(
            "prepare", ("Prepare at the same time", "التجهيز في وقت واحد"),
            [task("accounts", ("Accounts and access", "الحسابات والصلاحيات"), ("Accounts of ${ input.name }", "حسابات ${ input.name }"),
                  ("Department: ${ input.department }. Only the access that the position needs.", "القسم: ${ input.department }. تُمنح الصلاحيات التي تتطلبها الوظيفة فقط."), limit=2)],
            [task("equipment", ("Hand over equipment", "تسليم العهدة"), ("Equipment of ${ input.name }", "عهدة ${ input.name }"),
                  ("Laptop, access card, telephone line.", "حاسوب محمول، وبطاقة دخول، وتحويلة هاتف."),
                  form=[asked("serial", "text", "Serial number of the laptop", "الرقم التسلسلي للحاسوب")], limit=2)],
            [task("induction", ("Induction and policies", "البرنامج التعريفي والسياسات"), ("Induction of ${ input.name }", "البرنامج التعريفي: ${ input.name }"),
                  ("Code of conduct, information security and data protection, signed.", "توقيع مدونة السلوك وسياستي أمن المعلومات وحماية البيانات الشخصية."), limit=3)],
        ),
        row("note", ("Enter into the list of employees", "القيد في سجل الموظفين"), "employees", name="${ input.name }", department="${ input.department }", starts_on="${ input.starts_on }"),
        mail(
            "welcome", ("Welcome", "رسالة الترحيب"), "${ input.email }", ("Welcome to us, ${ input.name }", "أهلًا بك معنا يا ${ input.name }"),
            ("Hello ${ input.name },\n\nyour first day is ${ input.starts_on }. Your desk and your accounts are ready.", "مرحبًا ${ input.name }،\n\nيوم مباشرتك ${ input.starts_on }، ومكتبك وحساباتك جاهزة. نتمنى لك بداية موفقة."),
            error=[tell("call_them", "The welcome mail to ${ input.name } was not sent: please call.", "تعذّر إرسال رسالة الترحيب إلى ${ input.name }، يُرجى الاتصال به.", severity="warning")],
        ),
        step("first_week", "wait", ("First week of work", "أسبوع العمل الأول"), mode="working", amount=5, working_unit="days"),
        task("talk", ("Talk after the first week", "لقاء المتابعة بعد الأسبوع الأول"), ("First week of ${ input.name }", "متابعة الأسبوع الأول: ${ input.name }"),
             ("How did it begin, what is missing?", "كيف كانت البداية؟ وما الذي ينقص؟"), form=[asked("notes", "long_text", "Notes", "الملاحظات", required=False)], limit=5),
    ),
    (
        asked("name", "text", "Name", "الاسم"), asked("email", "email", "Private e-mail", "البريد الشخصي"), asked("department", "text", "Department", "القسم"),
        asked("starts_on", "date", "First day", "تاريخ المباشرة"),
    ),
    (Table("employees", "Employees", "الموظفون", (
        column("name", "text", "Name", "الاسم"), column("department", "text", "Department", "القسم"), column("starts_on", "date", "First day", "تاريخ المباشرة"),
    )),),
    days=30,
)  # fmt: skip

OFFBOARDING = Sample(
    "offboarding", "log-out", "people",
    "Offboarding and clearance", "إنهاء الخدمة وإخلاء الطرف",
    "Closes accounts, takes equipment back and settles dues side by side; the clearance is signed by somebody else than those who did the work.",
    "يُغلق الحسابات ويستلم العهدة ويصفّي المستحقات معًا، ثم يوقّع إخلاء الطرف شخص غير من نفّذ الأعمال.",
    flow(
        side(
            "clear", ("Clear at the same time", "إخلاء الطرف من الجهات"),
            [task("access", ("Close the accounts", "إيقاف الحسابات"), ("Close the accounts of ${ input.employee }", "إيقاف حسابات ${ input.employee }"),
                  ("At the end of ${ input.last_day }: sign-in, mail, remote access, shared accounts.", "بنهاية يوم ${ input.last_day }: الدخول والبريد والاتصال عن بُعد والحسابات المشتركة."), limit=1, escalate_h=4)],
            [task("assets", ("Take equipment back", "استلام العهدة"), ("Equipment of ${ input.employee }", "عهدة ${ input.employee }"),
                  ("Laptop, card, keys, documents.", "الحاسوب والبطاقة والمفاتيح والوثائق."),
                  outcomes={"all": ("Everything is back", "سُلِّمت كاملة"), "part": ("Something is missing", "يوجد نقص")}, limit=3)],
            [task("dues", ("Settle the dues", "تصفية المستحقات"), ("Dues of ${ input.employee }", "مستحقات ${ input.employee }"),
                  ("End-of-service award, unused leave, advances.", "مكافأة نهاية الخدمة، ورصيد الإجازات، والسلف."), form=[asked("amount", "number", "Amount in SAR", "المبلغ بالريال")], limit=7)],
        ),
        approve("sign", ("Sign the clearance", "اعتماد إخلاء الطرف"), ("Clearance of ${ input.employee }", "إخلاء طرف ${ input.employee }"),
                ("Everything is closed, returned and settled.", "أُوقفت الحسابات واستُلمت العهدة وصُفّيت المستحقات."), TEAM,
                {"approve": [mail("letter", ("Send the clearance", "إرسال إخلاء الطرف"), "${ input.employee_email }", ("Your clearance", "إخلاء طرفك"),
                                  ("Hello ${ input.employee },\n\nyour clearance is complete. Thank you for your work with us.", "مرحبًا ${ input.employee }،\n\nاكتمل إخلاء طرفك. نشكرك على عملك معنا ونتمنى لك التوفيق."))],
                 "reject": [tell("open", "The clearance of ${ input.employee } is still open: ${ steps.sign.note }", "لم يُعتمد إخلاء طرف ${ input.employee }: ${ steps.sign.note }", severity="warning")]},
                four_eyes="deciders", limit=5),
    ),
    (*EMPLOYEE, asked("last_day", "date", "Last day of work", "آخر يوم عمل")),
    days=30,
)  # fmt: skip

HOURS = question(
    ("${ input.hours } hours of overtime: ${ input.employee }", "عمل إضافي ${ input.hours } ساعة: ${ input.employee }"),
    ("Why: ${ input.reason }", "المبرر: ${ input.reason }"),
)  # fmt: skip


def _unless(mark: str) -> dict[str, list[Steps]]:
    return {
        "reject": [stop(f"refused_{mark}", ("Refused", "رُفض الطلب"), "The overtime was refused.", "رُفض العمل الإضافي.")],
        "expired": [undecided(f"late_{mark}", "لم يُبتّ في الطلب")],
    }


OVERTIME = Sample(
    "overtime", "clock", "people",
    "Overtime request", "طلب عمل إضافي",
    "The manager decides on planned hours, with more than the limit it takes two; approved hours are noted for payroll.",
    "يبتّ المدير في الساعات المخطط لها، وما زاد على الحد يحتاج إلى موافقتين، وتُسجَّل الساعات المعتمدة لمسيّر الرواتب.",
    flow(
        when(
            "many", ("More than 20 hours in the month?", "أكثر من 20 ساعة في الشهر؟"), "input.hours > 20",
            [HOURS("both", ("Two approve", "موافقة اثنين"), TEAM, _unless("two"), **TWO, four_eyes="starter", limit=3)],
            [HOURS("one", ("The manager approves", "موافقة المدير"), OFFICE, _unless("one"), limit=2)],
        ),
        row("payroll", ("Note for payroll", "القيد لمسيّر الرواتب"), "overtime_hours", employee="${ input.employee }", month="${ input.month }", hours="${ input.hours }"),
        mail("tell", ("Confirm to the employee", "إشعار الموظف"), "${ input.employee_email }", ("Your overtime is approved", "اعتُمد عملك الإضافي"),
             ("Hello ${ input.employee },\n\n${ input.hours } hours are approved for ${ input.month }.", "مرحبًا ${ input.employee }،\n\nاعتُمدت ${ input.hours } ساعة عمل إضافي عن شهر ${ input.month }.")),
    ),
    (*EMPLOYEE, asked("month", "text", "Month", "الشهر"), asked("hours", "number", "Hours", "عدد الساعات"), asked("reason", "long_text", "Why", "المبرر")),
    (Table("overtime_hours", "Overtime hours", "ساعات العمل الإضافي", (
        column("employee", "text", "Employee", "الموظف"), column("month", "text", "Month", "الشهر"), column("hours", "number", "Hours", "الساعات"),
    )),),
)  # fmt: skip

LETTER = Sample(
    "salary_letter", "file-text", "people",
    "Employment letter", "خطاب تعريف بالراتب",
    "Checks the request, makes the letter as a PDF on your letterhead, has it signed off and mails it.",
    "يراجع الطلب، ويُعِدّ الخطاب بصيغة PDF على الورق الرسمي للجهة، ثم يُعتمَد ويُرسَل بالبريد.",
    flow(
        task("facts", ("Fill in the facts", "استكمال البيانات"), ("Employment letter for ${ input.employee }", "خطاب تعريف: ${ input.employee }"),
             ("Addressed to: ${ input.addressee }", "الخطاب موجّه إلى: ${ input.addressee }"),
             form=[asked("position", "text", "Position", "المسمى الوظيفي"), asked("salary", "number", "Monthly pay in SAR", "الراتب الشهري بالريال")], limit=2, if_late="fail"),
        step("letter", "document", ("Make the letter", "إعداد الخطاب"), format="pdf", name="letter", language=Both("en", "ar"),
             title=Both("Employment letter", "خطاب تعريف"),
             text=Both(
                 "To: ${ input.addressee }\n\nWe confirm that ${ input.employee } works with us as ${ steps.facts.values.position } with a monthly pay of ${ steps.facts.values.salary } SAR. This letter was issued on request and lays no duty on us.",
                 "السادة ${ input.addressee }\n\nالسلام عليكم ورحمة الله وبركاته، وبعد:\n\nنفيدكم بأن ${ input.employee } يعمل لدينا بوظيفة ${ steps.facts.values.position }، وراتبه الشهري ${ steps.facts.values.salary } ريال. وقد أُعطي هذا الخطاب بناءً على طلبه دون أدنى مسؤولية علينا.",
             )),
        approve("sign", ("Sign off", "اعتماد الخطاب"), ("Employment letter for ${ input.employee }", "اعتماد خطاب ${ input.employee }"), ("Position and pay were checked.", "تمت مراجعة المسمى والراتب."), TEAM,
                {"approve": [mail("send", ("Mail the letter", "إرسال الخطاب"), "${ input.employee_email }", ("Your employment letter", "خطاب التعريف"),
                                  ("Hello ${ input.employee },\n\nyour letter is attached.", "مرحبًا ${ input.employee }،\n\nتجد الخطاب مرفقًا."), files="${ steps.letter.file }")],
                 "reject": [mail("sorry", ("Say that it was refused", "إشعار بالاعتذار"), "${ input.employee_email }", ("Your request for a letter", "طلب خطاب التعريف"),
                                 ("Hello ${ input.employee },\n\nthe letter was not issued: ${ steps.sign.note }", "مرحبًا ${ input.employee }،\n\nنعتذر عن إصدار الخطاب: ${ steps.sign.note }"))]},
                four_eyes="deciders", limit=2),
    ),
    (*EMPLOYEE, asked("addressee", "text", "Addressed to", "الجهة الموجّه إليها")),
)  # fmt: skip

SAMPLES = (LEAVE, COLLEAGUE, ONBOARDING, OFFBOARDING, OVERTIME, LETTER)
