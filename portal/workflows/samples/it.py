"""Templates of the IT service desk."""

from __future__ import annotations

from portal.workflows.samples.parts import (
    EMPLOYEE,
    OFFICE,
    TEAM,
    Both,
    Sample,
    Steps,
    Table,
    approve,
    asked,
    change,
    choose,
    column,
    flow,
    keep,
    mail,
    row,
    same,
    side,
    step,
    stop,
    task,
    tell,
    undecided,
    when,
)

RESET = Sample(
    "password_reset", "key-round", "it",
    "Password reset by the service desk", "إعادة تعيين كلمة المرور عبر الدعم الفني",
    "Proves who is calling before anything is reset, records how, and tells the account's owner; a doubtful call becomes a security report.",
    "يتحقق من هوية المتصل قبل أي إجراء، ويوثّق طريقة التحقق، ويُبلغ صاحب الحساب، ويحوّل البلاغ المشكوك فيه إلى الأمن السيبراني.",
    flow(
        task("verify", ("Prove who is calling", "التحقق من هوية المتصل"), ("Reset for ${ input.employee }", "إعادة تعيين كلمة مرور ${ input.employee }"),
             ("Call back on the number of the directory and ask for the employee number. Never ask for a password.", "الاتصال على الرقم المسجل في الدليل وطلب الرقم الوظيفي، ولا تُطلب كلمة المرور إطلاقًا."), TEAM,
             {"proven": [
                 task("reset", ("Reset and hand over", "إعادة التعيين والتسليم"), ("Reset the account ${ input.account }", "إعادة تعيين الحساب ${ input.account }"),
                      ("One-time password, to be changed at the next sign-in.", "كلمة مرور لمرة واحدة تُغيَّر عند أول دخول."), TEAM, limit=4, limit_unit="working_hours"),
                 mail("told", ("Tell the owner of the account", "إشعار صاحب الحساب"), "${ input.employee_email }", ("Your password was reset", "أُعيد تعيين كلمة المرور"),
                      ("Hello ${ input.employee },\n\nthe password of ${ input.account } was reset. Was it not you? Call the service desk at once.", "مرحبًا ${ input.employee }،\n\nأُعيد تعيين كلمة مرور الحساب ${ input.account }. إن لم تطلب ذلك فاتصل بالدعم الفني فورًا."),
                      error=[tell("told_failed", "${ input.employee } could not be told by mail: call.", "تعذّر إشعار ${ input.employee } بالبريد، يُرجى الاتصال به.", severity="warning")]),
             ],
              "doubtful": [tell("alarm", "Doubtful reset for ${ input.account }: ${ steps.verify.note }", "طلب مريب لإعادة تعيين الحساب ${ input.account }: ${ steps.verify.note }", severity="error")]},
             form=[asked("way", "text", "How it was proven", "طريقة التحقق")], outcomes={"proven": ("Proven", "تم التحقق"), "doubtful": ("Doubtful", "مشكوك فيه")},
             limit=2, limit_unit="working_hours"),
    ),
    (*EMPLOYEE, asked("account", "text", "Account", "الحساب")),
    days=3,
)  # fmt: skip


def _solved(key: str, limit: int, limit_unit: str) -> Steps:
    return step(
        key, "signal", ("Wait until it is solved", "انتظار المعالجة"), signal="incident.solved", corr_key="${ input.number }",
        limit=limit, limit_unit=limit_unit,
    )  # fmt: skip


INCIDENT = Sample(
    "incident_triage", "activity", "it",
    "Incident triage", "فرز البلاغات التقنية",
    "Priority from impact and urgency, each with its own time; the run waits for the signal that it is solved, and asks whether it really is.",
    "تُحدَّد الأولوية من الأثر والاستعجال ولكل أولوية مهلتها، ثم ينتظر إشارة المعالجة، ويتأكد من صاحب البلاغ قبل الإغلاق.",
    flow(
        task("sort", ("Sort the report", "فرز البلاغ"), ("Sort: ${ input.title }", "فرز: ${ input.title }"), same("${ input.text }"), TEAM,
             form=[asked("priority", "choice", "Priority", "الأولوية", choices=(same("1"), same("2"), same("3"))), asked("team", "text", "Team", "الفريق")],
             limit=1, limit_unit="working_hours", if_late="fail"),
        row("open", ("Open the ticket", "فتح التذكرة"), "incidents", number="${ input.number }", title="${ input.title }", priority="${ steps.sort.values.priority }", state="open"),
        choose("times", ("Time by priority", "المهلة بحسب الأولوية"), [
            (("Priority 1", "أولوية 1"), "steps.sort.values.priority == '1'", [
                tell("alarm", "Priority 1: ${ input.title }", "أولوية 1: ${ input.title }", severity="error"),
                _solved("wait_1", 4, "hours"),
            ]),
            (("Priority 2", "أولوية 2"), "steps.sort.values.priority == '2'", [
                _solved("wait_2", 8, "working_hours")]),
        ], [_solved("wait_3", 5, "working_days")]),
        task("confirm", ("Is it really solved?", "هل عولج البلاغ فعلًا؟"), ("Is it solved: ${ input.title }?", "هل عولج: ${ input.title }؟"), ("Ask who reported it.", "يُسأل مقدّم البلاغ."), TEAM,
             outcomes={"yes": ("Solved", "عولج"), "no": ("Not solved", "لم يُعالج")}, limit=3),
        change("close", ("Close the ticket", "إغلاق التذكرة"), "incidents", {"number": "${ input.number }"}, state="${ steps.confirm.outcome == 'yes' ? 'closed' : 'problem' }"),
        mail("told", ("Tell who reported", "إشعار مقدّم البلاغ"), "${ input.reporter_email }", same("${ input.number }: ${ input.title }"),
             ("Your report ${ input.number } was worked on. Outcome: ${ steps.confirm.outcome == 'yes' ? 'solved' : 'passed on to problem management' }.", "عولج بلاغك رقم ${ input.number }. النتيجة: ${ steps.confirm.outcome == 'yes' ? 'تمت المعالجة' : 'أُحيل إلى إدارة المشكلات' }.")),
    ),
    (asked("number", "text", "Number of the report", "رقم البلاغ"), asked("title", "text", "What does not work", "ما العطل؟"), asked("text", "long_text", "Details", "التفاصيل"),
     asked("reporter_email", "email", "E-mail of who reports", "بريد مقدّم البلاغ")),
    (Table("incidents", "Incidents", "البلاغات التقنية", (
        column("number", "text", "Number", "الرقم"), column("title", "text", "Title", "العنوان"), column("priority", "text", "Priority", "الأولوية"), column("state", "text", "State", "الحالة"),
    )),),
    days=14,
    needs=(Both("Whoever solves it sends the signal incident.solved with the number of the report", "يرسل من عالج البلاغ الإشارة incident.solved مع رقم البلاغ"),),
)  # fmt: skip

CHANGE = Sample(
    "change_request", "rocket", "it",
    "Change request", "طلب تغيير تقني",
    "Risk and plan first; the change board decides by majority; then the change in its window, with a way back if it fails.",
    "يبدأ بتقييم المخاطر والخطة، ثم قرار لجنة التغيير بالأغلبية، ثم التنفيذ في نافذته مع خطة تراجع عند الإخفاق.",
    flow(
        task("plan", ("Risk and way back", "المخاطر وخطة التراجع"), ("Plan of: ${ input.title }", "خطة التغيير: ${ input.title }"), ("System: ${ input.system }\n${ input.text }", "النظام: ${ input.system }\n${ input.text }"), TEAM,
             form=[asked("risk", "choice", "Risk", "المخاطر", choices=(("low", "منخفضة"), ("high", "عالية"))), asked("way_back", "long_text", "Way back", "خطة التراجع")], limit=3, if_late="fail"),
        approve("board", ("Change board", "لجنة التغيير"), ("Change: ${ input.title }", "تغيير: ${ input.title }"), ("Way back: ${ steps.plan.values.way_back }", "خطة التراجع: ${ steps.plan.values.way_back }"), TEAM,
                {"approve": [
                    task("do", ("Carry out the change", "تنفيذ التغيير"), ("Carry out: ${ input.title }", "تنفيذ: ${ input.title }"), ("Window: ${ input.window }", "نافذة التنفيذ: ${ input.window }"), OFFICE,
                         {"done": [tell("done_told", "The change worked: ${ input.title }", "نُفِّذ التغيير بنجاح: ${ input.title }", to="everyone", severity="success")],
                          "failed": [task("undo", ("Take the change back", "التراجع عن التغيير"), ("Take back: ${ input.title }", "تراجع عن: ${ input.title }"), same("${ steps.plan.values.way_back }"), limit=4, limit_unit="hours"),
                                     tell("undone_told", "The change was taken back: ${ input.title }", "جرى التراجع عن التغيير: ${ input.title }", severity="error")]},
                         outcomes={"done": ("It worked", "نجح"), "failed": ("It failed", "أخفق")}, limit=10),
                    task("review", ("Look back", "مراجعة ما بعد التنفيذ"), ("Look back: ${ input.title }", "مراجعة: ${ input.title }"), ("What do we do better next time?", "ما الذي نحسّنه في المرة القادمة؟"), TEAM, form=[asked("lesson", "long_text", "Lesson", "الدرس المستفاد", required=False)], limit=5),
                ],
                 "return": [tell("returned", "Sent back: ${ input.title }: ${ steps.board.note }", "أُعيد للتعديل: ${ input.title }: ${ steps.board.note }", severity="warning")],
                 "reject": [tell("refused", "Refused: ${ input.title }", "رُفض التغيير: ${ input.title }", severity="warning")]},
                quorum="majority", may_return=True, limit=5),
    ),
    (asked("title", "text", "Change", "التغيير"), asked("system", "text", "System", "النظام"), asked("window", "text", "Wished window", "نافذة التنفيذ المقترحة"), asked("text", "long_text", "What and why", "الوصف والمبرر")),
    days=30,
)  # fmt: skip

LOAN = Sample(
    "asset_loan", "smartphone", "it",
    "Loan of equipment", "إعارة جهاز",
    "Approves and hands over a device, waits for its return until the agreed day, reminds, and at last asks to fetch it.",
    "يعتمد الإعارة ويسلّم الجهاز، وينتظر إعادته حتى الموعد المتفق عليه، ثم يذكّر بها، ثم يطلب استعادته.",
    flow(
        approve("may", ("May it be lent?", "هل تُعتمد الإعارة؟"), ("${ input.device } for ${ input.employee }", "${ input.device } إلى ${ input.employee }"), ("${ input.days } days: ${ input.reason }", "${ input.days } يوم: ${ input.reason }"), OFFICE,
                {"reject": [stop("no", ("Refused", "رُفضت الإعارة"), "The loan was refused.", "رُفضت الإعارة.")],
                 "expired": [undecided("late", "لم يُبتّ في الطلب")]}, limit=2),
        task("hand", ("Hand over", "التسليم"), ("Hand over ${ input.device }", "تسليم ${ input.device }"), ("Check the state and note the serial number.", "فحص الحالة وتدوين الرقم التسلسلي."), TEAM, form=[asked("serial", "text", "Serial number", "الرقم التسلسلي")], limit=2, if_late="fail"),
        row("lent", ("Enter the loan", "قيد الإعارة"), "loans", device="${ input.device }", serial="${ steps.hand.values.serial }", employee="${ input.employee }", state="lent"),
        step("back", "signal", ("Wait for the return", "انتظار الإعادة"), signal="asset.returned", corr_key="${ steps.hand.values.serial }", limit="${ input.days }", limit_unit="days"),
        when("late_back", ("Overdue?", "هل تأخرت الإعادة؟"), "steps.back.outcome == 'timeout'",
             [mail("remind", ("Remind the borrower", "تذكير المستعير"), "${ input.employee_email }", ("${ input.device } is due back", "حان موعد إعادة ${ input.device }"), ("Hello ${ input.employee },\n\nplease bring ${ input.device } back.", "مرحبًا ${ input.employee }،\n\nنأمل إعادة ${ input.device }.")),
              task("fetch", ("Get it back", "استعادة الجهاز"), ("Get ${ input.device } back from ${ input.employee }", "استعادة ${ input.device } من ${ input.employee }"), ("", ""), TEAM, limit=3)]),
        change("closed", ("Close the loan", "إقفال الإعارة"), "loans", {"serial": "${ steps.hand.values.serial }"}, state="returned"),
    ),
    (*EMPLOYEE, asked("device", "text", "Device", "الجهاز"), asked("days", "number", "Days", "عدد الأيام"), asked("reason", "text", "Why", "الغرض")),
    (Table("loans", "Loans", "الإعارات", (
        column("device", "text", "Device", "الجهاز"), column("serial", "text", "Serial number", "الرقم التسلسلي"), column("employee", "text", "Employee", "الموظف"), column("state", "text", "State", "الحالة"),
    )),),
    days=30,
    needs=(Both("Whoever takes the device back sends the signal asset.returned with its serial number", "يرسل مستلم الجهاز الإشارة asset.returned مع رقمه التسلسلي"),),
)  # fmt: skip

ACCESS = Sample(
    "access_request", "log-in", "it",
    "Access to a system", "طلب صلاحية على نظام",
    "The owner of the data and security agree, whoever asks decides nothing; the access is granted, noted and looked at again after its time.",
    "يوافق مالك البيانات والأمن السيبراني دون مقدّم الطلب، ثم تُمنح الصلاحية وتُقيَّد وتُراجَع عند انتهاء مدتها.",
    flow(
        side("agree", ("Two views", "موافقتان متزامنتان"),
             [approve("owner", ("Owner of the data", "مالك البيانات"), ("${ input.system } for ${ input.employee }", "${ input.system }: ${ input.employee }"), ("Needed for: ${ input.reason }", "الغرض: ${ input.reason }"), TEAM, four_eyes="starter", limit=2, if_late="fail")],
             [approve("security", ("Security", "الأمن السيبراني"), ("${ input.system } for ${ input.employee }", "${ input.system }: ${ input.employee }"), ("Least access? Separation of duties?", "هل هي أقل صلاحية كافية؟ وهل يتحقق فصل المهام؟"), TEAM, four_eyes="starter", limit=2, if_late="fail")]),
        keep("result", ("Put together", "خلاصة القرارين"), granted="${ steps.owner.outcome == 'approve' && steps.security.outcome == 'approve' }"),
        when("granted", ("Both agree?", "هل وافق الاثنان؟"), "steps.result.granted",
             [task("grant", ("Grant the access", "منح الصلاحية"), ("Grant ${ input.system } to ${ input.employee }", "منح ${ input.employee } صلاحية ${ input.system }"), ("", ""), TEAM, limit=1),
              row("note", ("Note the access", "قيد الصلاحية"), "accesses", system="${ input.system }", person="${ input.employee }", reason="${ input.reason }"),
              mail("told", ("Tell the employee", "إشعار الموظف"), "${ input.employee_email }", ("Your access to ${ input.system }", "صلاحيتك على ${ input.system }"), ("Hello ${ input.employee },\n\nyour access is ready.", "مرحبًا ${ input.employee }،\n\nمُنحت الصلاحية المطلوبة."))],
             [mail("refused", ("Tell the employee", "إشعار الموظف بالرفض"), "${ input.employee_email }", ("Your access to ${ input.system }", "صلاحيتك على ${ input.system }"), ("Hello ${ input.employee },\n\nthe access was not granted.", "مرحبًا ${ input.employee }،\n\nنعتذر، لم تُعتمد الصلاحية المطلوبة."))]),
    ),
    (*EMPLOYEE, asked("system", "text", "System", "النظام"), asked("reason", "text", "What for", "الغرض")),
    (Table("accesses", "Accesses", "صلاحيات الأنظمة", (
        column("system", "text", "System", "النظام"), column("person", "text", "Person", "المستخدم"), column("reason", "text", "What for", "الغرض"),
    )),),
)  # fmt: skip

SAMPLES = (RESET, INCIDENT, CHANGE, LOAN, ACCESS)
