"""Templates of compliance: NCA ECC, the Personal Data Protection Law, ISO 27001."""

from __future__ import annotations

from portal.workflows.samples.parts import (
    OFFICE,
    TEAM,
    TWO,
    Both,
    Sample,
    Schedule,
    Table,
    approve,
    asked,
    change,
    column,
    each,
    flow,
    keep,
    mail,
    row,
    rows,
    same,
    side,
    step,
    stop,
    task,
    tell,
    when,
)

CONTROLS = Both(
    """[{"code": "1-1", "name": "Cybersecurity strategy"}, {"code": "1-3", "name": "Policies and procedures"},
 {"code": "1-5", "name": "Risk management"}, {"code": "1-10", "name": "Awareness and training"},
 {"code": "2-2", "name": "Identity and access management"}, {"code": "2-3", "name": "Protection of systems"},
 {"code": "2-9", "name": "Backup and recovery"}, {"code": "2-10", "name": "Vulnerability management"},
 {"code": "2-12", "name": "Event logs and monitoring"}, {"code": "2-13", "name": "Incident and threat management"},
 {"code": "3-1", "name": "Resilience in business continuity"}, {"code": "4-1", "name": "Third-party cybersecurity"}]""",
    """[{"code": "1-1", "name": "استراتيجية الأمن السيبراني"}, {"code": "1-3", "name": "السياسات والإجراءات"},
 {"code": "1-5", "name": "إدارة المخاطر"}, {"code": "1-10", "name": "التوعية والتدريب"},
 {"code": "2-2", "name": "إدارة هويات الدخول والصلاحيات"}, {"code": "2-3", "name": "حماية الأنظمة وأجهزة معالجة المعلومات"},
 {"code": "2-9", "name": "إدارة النسخ الاحتياطية"}, {"code": "2-10", "name": "إدارة الثغرات"},
 {"code": "2-12", "name": "سجلات الأحداث والمراقبة"}, {"code": "2-13", "name": "إدارة الحوادث والتهديدات"},
 {"code": "3-1", "name": "صمود الأمن السيبراني في استمرارية الأعمال"}, {"code": "4-1", "name": "الأمن السيبراني للأطراف الخارجية"}]""",
)

ECC = Sample(
    "nca_ecc_review", "shield-check", "compliance",
    "NCA ECC control review", "مراجعة الضوابط الأساسية للأمن السيبراني",
    "An evidence task for each control of the NCA's Essential Cybersecurity Controls, the gaps counted, a PDF report, signed off by two.",
    "مهمة لجمع الأدلة عن كل ضابط من الضوابط الأساسية للأمن السيبراني (ECC)، ثم حصر الفجوات وتقرير PDF يعتمده شخصان.",
    flow(
        each("controls", ("For each control", "لكل ضابط"), CONTROLS,
             task("evidence", ("Collect the evidence", "جمع الأدلة"), ("ECC ${ item.code }: ${ item.name }", "ضابط ${ item.code }: ${ item.name }"),
                  ("Where is the evidence, who owns it, when was it last tested? What is missing becomes a gap.", "أين الدليل؟ ومن المالك؟ ومتى اختُبر آخر مرة؟ وما ينقص يُسجَّل فجوة."), TEAM,
                  form=[asked("evidence", "text", "Where the evidence is", "موضع الدليل"), asked("gap", "long_text", "Gap and measure", "الفجوة والإجراء التصحيحي", required=False)],
                  outcomes={"implemented": ("Implemented", "مطبّق كليًا"), "partly": ("Partly", "مطبّق جزئيًا"), "missing": ("Not implemented", "غير مطبّق"), "not_applicable": ("Not applicable", "لا ينطبق")},
                  limit=15, remind_h=72, escalate_h=40),
             at_once=20, if_fails="collect",
             result="{'code': item.code, 'name': item.name, 'outcome': steps.evidence.outcome, 'evidence': steps.evidence.outcome == 'expired' ? '' : steps.evidence.values.evidence}"),
        step("gaps", "filter", ("Find the gaps", "حصر الفجوات"), list="steps.controls.results", where="!(item.outcome in ['implemented', 'not_applicable'])"),
        step("report", "document", ("Make the report", "إعداد التقرير"), format="pdf", name="ecc-review", language=Both("en", "ar"),
             title=Both("Review of the Essential Cybersecurity Controls", "تقرير مراجعة الضوابط الأساسية للأمن السيبراني"),
             text=Both("Controls: ${ steps.controls.count }. Gaps: ${ steps.gaps.count }.", "عدد الضوابط: ${ steps.controls.count }، وعدد الفجوات: ${ steps.gaps.count }."), rows="steps.controls.results",
             columns=[{"name": "code", "value": Both("Control", "الضابط")}, {"name": "name", "value": Both("Name", "الاسم")}, {"name": "outcome", "value": Both("State", "الحالة")}, {"name": "evidence", "value": Both("Evidence", "الدليل")}]),
        approve("sign", ("Sign off the review", "اعتماد المراجعة"), ("ECC review: ${ steps.gaps.count } gaps", "مراجعة الضوابط: ${ steps.gaps.count } فجوة"), ("The report is in the step “Make the report”.", "التقرير متاح في خطوة «إعداد التقرير»."), TEAM, **TWO, limit=5),
        mail("send", ("Mail the report", "إرسال التقرير"), "${ input.officer_email }", ("ECC review", "تقرير مراجعة الضوابط الأساسية"), ("The report is attached. Gaps: ${ steps.gaps.count }.", "التقرير مرفق. عدد الفجوات: ${ steps.gaps.count }."), files="${ steps.report.file }"),
    ),
    (asked("officer_email", "email", "E-mail of the head of cybersecurity", "بريد مسؤول الأمن السيبراني"),),
    days=30,
    needs=(Both("Your scope of controls, in the step “For each control”", "نطاق الضوابط المنطبق عليكم، في خطوة «لكل ضابط»"),),
)  # fmt: skip

REQUEST = Sample(
    "pdpl_request", "user", "compliance",
    "Request of a data subject (PDPL)", "طلب صاحب بيانات شخصية",
    "Receipt, proof of identity, gathering, review and answer within the 30 days of the Personal Data Protection Law; all limits stand in one step.",
    "استلام الطلب والتحقق من الهوية وجمع البيانات ومراجعتها والرد خلال 30 يومًا وفق نظام حماية البيانات الشخصية، والمهل كلها في خطوة واحدة.",
    flow(
        keep("limits", ("Limits in days: change them here", "المهل بالأيام: تُعدَّل هنا"), law="${ 30 }", identity="${ 3 }", gather="${ 14 }", review="${ 5 }", answer="${ 3 }"),
        row("open", ("Enter into the register", "القيد في سجل الطلبات"), "data_requests", person="${ input.person }", right="${ input.right }", state="open"),
        mail("receipt", ("Confirm the receipt", "إشعار الاستلام"), "${ input.email }", ("We received your request", "استلمنا طلبك"), ("Dear ${ input.person },\n\nwe received your request and answer within ${ steps.limits.law } days.", "المكرم ${ input.person }،\n\nاستلمنا طلبك، وسنوافيك بالرد خلال ${ steps.limits.law } يومًا."),
             error=[tell("no_receipt", "The receipt to ${ input.person } was not sent: use another way.", "تعذّر إرسال إشعار الاستلام إلى ${ input.person }، يُرجى التواصل بوسيلة أخرى.", severity="warning")]),
        task("identity", ("Prove the identity", "التحقق من الهوية"), ("Identity of ${ input.person }", "هوية ${ input.person }"), ("Ask for no more than is needed.", "لا يُطلب أكثر مما يلزم للتحقق."), TEAM,
             {"unknown": [mail("ask_proof", ("Ask for proof", "طلب ما يثبت الهوية"), "${ input.email }", ("Please prove who you are", "نأمل إثبات الهوية"), ("Dear ${ input.person },\n\nwe could not prove your identity. Please send us a proof and ask again.", "المكرم ${ input.person }،\n\nلم نتمكن من التحقق من هويتك. نأمل إرفاق ما يثبتها وتقديم الطلب مجددًا.")),
                          change("closed_unknown", ("Close the request", "إقفال الطلب"), "data_requests", {"person": "${ input.person }", "state": "open"}, state="unproven"),
                          stop("end_unknown", ("End: not proven", "إنهاء: لم تثبت الهوية"), "The identity was not proven.", "لم تثبت الهوية.")]},
             outcomes={"proven": ("Proven", "ثبتت"), "unknown": ("Not proven", "لم تثبت")}, limit="${ steps.limits.identity }", limit_unit="days", escalate_h=8),
        task("gather", ("Gather the data", "جمع البيانات"), same("${ input.right }: ${ input.person }"), ("All systems and paper; who else received the data?", "جميع الأنظمة والملفات الورقية، ومن أُفصح له عن البيانات."), TEAM,
             form=[asked("systems", "long_text", "Systems searched", "الأنظمة التي جرى البحث فيها"), asked("place", "text", "Where the result is", "موضع النتيجة")], limit="${ steps.limits.gather }", limit_unit="days", remind_h=48, escalate_h=56, if_late="fail"),
        approve("review", ("Review by data protection", "مراجعة مسؤول حماية البيانات"), same("${ input.right }: ${ input.person }"), ("Searched: ${ steps.gather.values.systems }. Data of others taken out? A ground for refusal under the law?", "جرى البحث في: ${ steps.gather.values.systems }. هل حُجبت بيانات الغير؟ وهل يوجد مسوّغ نظامي للرفض؟"), TEAM, four_eyes="deciders", limit="${ steps.limits.review }", limit_unit="days", if_late="fail"),
        when("granted", ("Granted?", "هل قُبل الطلب؟"), "steps.review.outcome == 'approve'",
             [task("answer", ("Hand over or carry out", "التسليم أو التنفيذ"), ("Answer to ${ input.person }", "الرد على ${ input.person }"), ("Clear, free of charge, by a safe way.", "بلغة واضحة ودون مقابل وبوسيلة آمنة."), TEAM, limit="${ steps.limits.answer }", limit_unit="days"),
              mail("done", ("Say that it is done", "إشعار بإنجاز الطلب"), "${ input.email }", ("Your request is done", "أُنجز طلبك"), ("Dear ${ input.person },\n\nyour request was carried out.", "المكرم ${ input.person }،\n\nأُنجز طلبك. ولك حق الاعتراض لدى الجهة المختصة."))],
             [mail("refusal", ("Refuse with grounds", "الاعتذار مع ذكر المسوّغ"), "${ input.email }", ("Your request", "بشأن طلبك"), ("Dear ${ input.person },\n\nwe cannot follow your request: ${ steps.review.note }\n\nYou may complain to SDAIA.", "المكرم ${ input.person }،\n\nنعتذر عن تلبية طلبك: ${ steps.review.note }\n\nولك التقدم بشكوى إلى سدايا."))]),
        change("close", ("Close the request", "إقفال الطلب"), "data_requests", {"person": "${ input.person }", "state": "open"}, state="${ steps.review.outcome }"),
    ),
    (asked("person", "text", "Data subject", "صاحب البيانات"), asked("email", "email", "E-mail", "البريد الإلكتروني"),
     asked("right", "choice", "Which right", "الحق المطلوب", choices=(("Access", "الاطلاع"), ("Copy", "الحصول على نسخة"), ("Correction", "التصحيح"), ("Destruction", "الإتلاف"), ("Withdraw consent", "العدول عن الموافقة"))),
     asked("text", "long_text", "Details", "التفاصيل", required=False)),
    (Table("data_requests", "Requests of data subjects", "طلبات أصحاب البيانات", (
        column("person", "text", "Data subject", "صاحب البيانات"), column("right", "text", "Right", "الحق"), column("state", "text", "State", "الحالة"),
    )),),
    days=30,
    needs=(Both("Your limits, in the step “Limits in days”; the law gives 30", "المهل المعتمدة لديكم، في خطوة «المهل بالأيام»، والمهلة النظامية 30 يومًا"),),
)  # fmt: skip

BREACH = Sample(
    "breach_notification", "megaphone", "compliance",
    "Breach notification within 72 hours (PDPL)", "الإشعار بتسرّب بيانات شخصية خلال 72 ساعة",
    "Contain and assess side by side; notify SDAIA in time for the 72 hours, and the people concerned where it may harm them.",
    "الاحتواء والتقييم معًا، ثم إشعار سدايا ضمن مهلة 72 ساعة، وإشعار أصحاب البيانات متى كان الضرر محتملًا.",
    flow(
        keep("limits", ("Limits in hours: change them here", "المهل بالساعات: تُعدَّل هنا"), law="${ 72 }", assess="${ 24 }", notify="${ 40 }"),
        tell("alarm", "Breach of personal data: ${ input.title }. ${ steps.limits.law } hours from now.", "تسرّب بيانات شخصية: ${ input.title }. المهلة ${ steps.limits.law } ساعة من الآن.", severity="error"),
        side("first", ("Contain and assess", "الاحتواء والتقييم"),
             [task("contain", ("Contain", "الاحتواء"), ("Contain: ${ input.title }", "احتواء: ${ input.title }"), ("Close the leak, keep the evidence.", "إيقاف التسرّب وحفظ الأدلة."), limit="${ steps.limits.assess }", limit_unit="hours", escalate_h=2)],
             [task("assess", ("Assess the harm", "تقييم الأثر"), ("Assess: ${ input.title }", "تقييم: ${ input.title }"), ("Which data, how many people, which consequences?", "ما البيانات؟ وكم عدد الأشخاص؟ وما الآثار المحتملة؟"),
                   form=[asked("people", "number", "How many people", "عدد الأشخاص"), asked("data", "text", "Which data", "أنواع البيانات"), asked("harm", "boolean", "It may harm them", "يُحتمل أن يلحقهم ضرر", required=False)], limit="${ steps.limits.assess }", limit_unit="hours", if_late="fail")]),
        task("notify", ("Notify SDAIA", "إشعار سدايا"), ("Notify: ${ input.title }", "إشعار سدايا: ${ input.title }"), ("People: ${ steps.assess.values.people }. Data: ${ steps.assess.values.data }. What is not yet known follows later, with the reason.", "عدد الأشخاص: ${ steps.assess.values.people }. البيانات: ${ steps.assess.values.data }. وما لم يُعرف بعد يُستكمل لاحقًا مع بيان السبب."), OFFICE,
             form=[asked("reference", "text", "Reference of the notice", "رقم الإشعار")], limit="${ steps.limits.notify }", limit_unit="hours", remind_h=6, escalate_h=4, if_late="fail"),
        when("harm", ("May it harm them?", "هل يُحتمل ضرر؟"), "steps.assess.values.harm",
             [task("people", ("Notify the people", "إشعار أصحاب البيانات"), ("Notify ${ steps.assess.values.people } people", "إشعار ${ steps.assess.values.people } شخصًا"), ("What happened, what it may mean, what they can do, whom to ask.", "ما الذي حدث، وآثاره المحتملة، وما يمكنهم فعله، وجهة التواصل."), limit=2)]),
        row("note", ("Enter into the register", "القيد في سجل التسرّبات"), "breaches", title="${ input.title }", reference="${ steps.notify.values.reference }", people="${ steps.assess.values.people }"),
        task("look_back", ("Look back", "المراجعة اللاحقة"), ("Look back: ${ input.title }", "مراجعة: ${ input.title }"), ("Cause, measures, who does what by when.", "السبب والإجراءات والمسؤول والموعد."), limit=10),
    ),
    (asked("title", "text", "What happened", "ما الذي حدث؟"), asked("known_at", "text", "When it became known", "وقت العلم بالحادثة")),
    (Table("breaches", "Breaches of personal data", "حوادث تسرّب البيانات", (
        column("title", "text", "Breach", "الحادثة"), column("reference", "text", "Reference", "رقم الإشعار"), column("people", "number", "People", "عدد الأشخاص"),
    )),),
    days=30,
)  # fmt: skip

ACCESS_REVIEW = Sample(
    "iso_access_review", "users", "compliance",
    "ISO 27001 access review", "مراجعة صلاحيات الوصول وفق ISO 27001",
    "Each access in the table is kept, changed or taken away by somebody (control 5.18); what is to go becomes a task; the round is signed off.",
    "تُراجَع كل صلاحية في الجدول (الضابط 5.18): إبقاء أو تعديل أو سحب، ويُنفَّذ السحب بمهمة، ثم تُعتمد الجولة.",
    flow(
        rows("all", ("Read the accesses", "قراءة الصلاحيات"), "accesses"),
        each("review", ("For each access", "لكل صلاحية"), "steps.all.rows",
             task("look", ("Still needed?", "هل ما زالت لازمة؟"), same("${ item.person }: ${ item.system }"), ("Given for: ${ item.reason }", "الغرض عند المنح: ${ item.reason }"), TEAM,
                  {"keep": [keep("kept", ("Keep", "إبقاء"), result="keep")],
                   "revoke": [task("take", ("Take the access away", "سحب الصلاحية"), ("Take ${ item.system } from ${ item.person }", "سحب صلاحية ${ item.system } من ${ item.person }"), ("", ""), limit=2, escalate_h=8)]},
                  outcomes={"keep": ("Keep", "إبقاء"), "revoke": ("Take away", "سحب")}, limit=10, remind_h=48),
             at_once=20, if_fails="collect", result="steps.look.outcome"),
        approve("sign", ("Sign off the round", "اعتماد الجولة"), ("Access review: ${ steps.review.count } accesses", "مراجعة الصلاحيات: ${ steps.review.count } صلاحية"), ("Outcomes: ${ steps.review.results }", "النتائج: ${ steps.review.results }"), TEAM, four_eyes="deciders", limit=5),
        row("note", ("Keep as evidence", "الحفظ دليلًا للتدقيق"), "access_reviews", accesses="${ steps.review.count }", outcome="${ steps.sign.outcome }"),
        tell("tell", "The access review has ended: ${ steps.sign.outcome }.", "انتهت مراجعة الصلاحيات."),
    ),
    (),
    (Table("accesses", "Accesses", "صلاحيات الأنظمة", (
        column("system", "text", "System", "النظام"), column("person", "text", "Person", "المستخدم"), column("reason", "text", "What for", "الغرض"),
    )), Table("access_reviews", "Access reviews", "جولات مراجعة الصلاحيات", (
        column("accesses", "number", "Accesses", "عدد الصلاحيات"), column("outcome", "text", "Outcome", "النتيجة"),
    ))),
    Schedule("First day of each quarter", "أول يوم من كل ربع سنة", "0 9 1 1,4,7,10 *"),
    days=30,
    needs=(Both("Rows in the table “Accesses”; the template “Access to a system” fills it", "بيانات في جدول «صلاحيات الأنظمة»، ويملؤه قالب «طلب صلاحية على نظام»"),),
)  # fmt: skip

FINDING = Sample(
    "audit_finding", "clipboard-check", "compliance",
    "Audit finding to its closing", "متابعة ملاحظة تدقيق حتى إغلاقها",
    "Cause and measure, a due date, proof of effect checked by somebody else; what does not work goes back, twice at most.",
    "تحليل السبب والإجراء وموعده، ثم إثبات الفاعلية يتحقق منه شخص آخر، وما لم يثبت يُعاد مرتين على الأكثر.",
    flow(
        task("measure", ("Cause and measure", "السبب الجذري والإجراء"), ("Finding: ${ input.finding }", "ملاحظة: ${ input.finding }"), ("Requirement: ${ input.requirement }", "المتطلب: ${ input.requirement }"), TEAM, form=[asked("cause", "long_text", "Cause", "السبب الجذري"), asked("measure", "long_text", "Measure", "الإجراء التصحيحي")], limit=5, if_late="fail"),
        task("do", ("Carry out the measure", "تنفيذ الإجراء"), ("Carry out: ${ input.finding }", "تنفيذ: ${ input.finding }"), same("${ steps.measure.values.measure }"), TEAM, form=[asked("proof", "text", "Where the proof is", "موضع الدليل")], limit=10, remind_h=48, escalate_h=40, if_late="fail"),
        task("effect", ("Check the effect", "التحقق من الفاعلية"), ("Did it work? ${ input.finding }", "هل أثبت فاعليته؟ ${ input.finding }"), ("Proof: ${ steps.do.values.proof }", "الدليل: ${ steps.do.values.proof }"), TEAM, outcomes={"works": ("It works", "فعّال"), "not_yet": ("Not yet", "لم تثبت الفاعلية")}, four_eyes="deciders", limit=5),
        step("again", "goto", ("Back to the measure", "إعادة إلى التنفيذ"), to="do", when="steps.effect.outcome == 'not_yet'", most=2, if_spent="continue"),
        row("note", ("Close the finding", "إغلاق الملاحظة"), "audit_findings", finding="${ input.finding }", requirement="${ input.requirement }", outcome="${ steps.effect.outcome }"),
    ),
    (asked("finding", "text", "Finding", "الملاحظة"), asked("requirement", "text", "Requirement", "المتطلب المرجعي")),
    (Table("audit_findings", "Audit findings", "ملاحظات التدقيق", (
        column("finding", "text", "Finding", "الملاحظة"), column("requirement", "text", "Requirement", "المتطلب"), column("outcome", "text", "Outcome", "النتيجة"),
    )),),
    days=30,
)  # fmt: skip

SAMPLES = (ECC, REQUEST, BREACH, ACCESS_REVIEW, FINDING)
