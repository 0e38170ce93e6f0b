"""Templates of security response."""

from __future__ import annotations

from portal.workflows.samples.parts import (
    OFFICE,
    SELF,
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
    side,
    step,
    task,
    tell,
    when,
)

PHISHING = Sample(
    "phishing_report", "mail", "security",
    "Phishing report", "بلاغ عن رسالة تصيّد",
    "Thanks at once; an analyst judges; real phishing is blocked, searched for and made known side by side; who clicked gets a new password.",
    "يشكر المبلّغ فورًا، ويحكم المحلل على الرسالة، فإن كانت تصيّدًا جرى الحجب والبحث والتنبيه معًا، وأُعيد تعيين كلمة مرور من تفاعل معها.",
    flow(
        mail("thanks", ("Thank who reported", "شكر المبلّغ"), "${ input.reporter_email }", ("Thank you for reporting", "شكرًا على بلاغك"), ("We look at it at once. Please do not open links in that message.", "ننظر في البلاغ الآن، ونأمل عدم فتح أي رابط في الرسالة."),
             error=[keep("no_thanks", ("Go on without thanks", "المتابعة دون رسالة الشكر"), why="${ error.code }")]),
        task("judge", ("Judge the message", "تحليل الرسالة"), ("Phishing? ${ input.subject }", "تصيّد؟ ${ input.subject }"), ("From: ${ input.sender }\n${ input.text }", "المرسل: ${ input.sender }\n${ input.text }"), TEAM,
             {"phishing": [
                 side("act", ("Act at the same time", "الإجراءات المتزامنة"),
                      [task("block", ("Block sender and links", "حجب المرسل والروابط"), ("Block ${ input.sender }", "حجب ${ input.sender }"), ("Mail gateway, web filter, name server.", "بوابة البريد، ومرشّح الويب، وخادم الأسماء."), limit=1, limit_unit="hours", escalate_h=1)],
                      [task("search", ("Who else got it?", "من استلمها أيضًا؟"), ("Search: ${ input.subject }", "البحث: ${ input.subject }"), ("Remove it from the mailboxes; who clicked?", "حذفها من صناديق البريد، وحصر من تفاعل معها."), form=[asked("clicked", "number", "How many clicked", "عدد من تفاعل معها")], limit=4, limit_unit="hours", if_late="fail")],
                      [tell("warn", "Phishing is about: “${ input.subject }”. Do not open it; report it.", "رسالة تصيّد متداولة: «${ input.subject }». لا تفتحها وبلّغ عنها.", to="everyone", severity="warning")]),
                 when("clicked", ("Did anybody click?", "هل تفاعل معها أحد؟"), "steps.search.values.clicked > 0",
                      [task("reset", ("New passwords, end sessions", "إعادة التعيين وإنهاء الجلسات"), ("Reset those who clicked (${ steps.search.values.clicked })", "إعادة تعيين حسابات المتفاعلين (${ steps.search.values.clicked })"), ("", ""), limit=2, limit_unit="hours"),
                       step("signal", "send_signal", ("Tell incident response", "إبلاغ فريق الاستجابة"), signal="security.incident", corr_key="phishing", values=[{"name": "subject", "value": "${ input.subject }"}])]),
             ],
              "spam": [keep("spam", ("Only spam", "بريد مزعج فقط"), verdict="spam")], "clean": [keep("clean", ("Harmless", "رسالة سليمة"), verdict="clean")]},
             outcomes={"phishing": ("Phishing", "تصيّد"), "spam": ("Spam", "بريد مزعج"), "clean": ("Harmless", "سليمة")}, limit=2, limit_unit="hours"),
        row("note", ("Note the report", "قيد البلاغ"), "phishing_reports", subject="${ input.subject }", sender="${ input.sender }", verdict="${ steps.judge.outcome }"),
    ),
    (asked("reporter_email", "email", "E-mail of who reports", "بريد المبلّغ"), asked("sender", "text", "Sender of the message", "مرسل الرسالة"), asked("subject", "text", "Subject", "الموضوع"), asked("text", "long_text", "Text", "النص", required=False)),
    (Table("phishing_reports", "Phishing reports", "بلاغات التصيّد", (
        column("subject", "text", "Subject", "الموضوع"), column("sender", "text", "Sender", "المرسل"), column("verdict", "text", "Verdict", "الحكم"),
    )),),
    days=7,
)  # fmt: skip

VULNERABILITY = Sample(
    "vulnerability", "triangle-alert", "security",
    "Vulnerability follow-up", "متابعة معالجة ثغرة",
    "Time by severity, then repair or an accepted risk; a retest by somebody else; a failed retest begins another round, three at most.",
    "تُحدَّد المهلة بحسب الخطورة، ثم المعالجة أو قبول المخاطر، ثم إعادة فحص من شخص آخر، فإن أخفقت بدأت جولة جديدة بحد أقصى ثلاث جولات.",
    flow(
        keep("limits", ("Days by severity: change them here", "المهل بحسب الخطورة: تُعدَّل هنا"), days="${ input.cvss >= 9 ? 3 : input.cvss >= 7 ? 7 : 20 }"),
        task("repair", ("Repair", "معالجة الثغرة"), ("${ input.title } on ${ input.system }", "${ input.title } على ${ input.system }"), ("CVSS ${ input.cvss }. Install the patch or change the setting.", "درجة CVSS: ${ input.cvss }. تثبيت التحديث أو تعديل الإعداد."), TEAM,
             outcomes={"repaired": ("Repaired", "عولجت"), "accept": ("Cannot be repaired", "تعذّرت المعالجة")}, limit="${ steps.limits.days }", limit_unit="days", remind_h=24, escalate_h=16),
        when("repaired", ("Repaired?", "هل عولجت؟"), "steps.repair.outcome == 'repaired'",
             [task("retest", ("Test again", "إعادة الفحص"), ("Test again: ${ input.title }", "إعادة فحص: ${ input.title }"), ("", ""), TEAM, outcomes={"gone": ("Gone", "زالت"), "there": ("Still there", "ما زالت قائمة")}, four_eyes="deciders", limit=3),
              when("again", ("Another round?", "جولة أخرى؟"), "steps.retest.outcome == 'there' && input.round < 3",
                   [step("next_round", "subworkflow", ("Begin another round", "بدء جولة جديدة"), workflow=SELF,
                         inputs=[{"name": "title", "value": "${ input.title }"}, {"name": "system", "value": "${ input.system }"}, {"name": "cvss", "value": "${ input.cvss }"}, {"name": "round", "value": "${ input.round + 1 }"}])],
                   [row("note", ("Note the outcome", "قيد النتيجة"), "vulnerabilities", title="${ input.title }", system="${ input.system }", outcome="${ steps.retest.outcome }")])],
             [approve("accept", ("Accept the risk for a time", "قبول المخاطر مؤقتًا"), ("Risk of ${ input.title } on ${ input.system }", "مخاطر ${ input.title } على ${ input.system }"), ("What lowers the risk until then?", "ما الضوابط البديلة حتى ذلك الحين؟"), TEAM, four_eyes="deciders", **TWO, limit=5, if_late="fail"),
              row("risk", ("Note the risk", "قيد المخاطر"), "vulnerabilities", title="${ input.title }", system="${ input.system }", outcome="${ steps.accept.outcome }")]),
    ),
    (asked("title", "text", "Vulnerability", "الثغرة"), asked("system", "text", "System", "النظام"), asked("cvss", "number", "CVSS score, 0 to 10", "درجة CVSS من 0 إلى 10"), asked("round", "number", "Round (begin with 1)", "رقم الجولة (تبدأ بـ 1)")),
    (Table("vulnerabilities", "Vulnerabilities", "الثغرات", (
        column("title", "text", "Vulnerability", "الثغرة"), column("system", "text", "System", "النظام"), column("outcome", "text", "Outcome", "النتيجة"),
    )),),
    days=30,
)  # fmt: skip

ROTATION = Sample(
    "key_rotation", "user-key", "security",
    "Key and secret rotation", "تدوير المفاتيح والأسرار",
    "Goes through the keys that are due, asks to change each and to test it, and has the whole round confirmed by a second person.",
    "يمرّ على المفاتيح المستحقة، ويطلب تغيير كل منها واختباره، ثم يؤكد الجولة شخص ثانٍ.",
    flow(
        rows("due", ("Find the keys that are due", "البحث عن المفاتيح المستحقة"), "keys", state="due"),
        each("keys", ("For each key", "لكل مفتاح"), "steps.due.rows",
             task("rotate", ("Change and test", "التغيير والاختبار"), ("Change ${ item.name } of ${ item.system }", "تغيير ${ item.name } في ${ item.system }"), ("Make the new one, switch over, test, end the old one. Never write it here.", "إنشاء الجديد ثم التحويل إليه واختباره ثم إبطال القديم. لا يُكتب المفتاح هنا إطلاقًا."), TEAM,
                  outcomes={"rotated": ("Changed and tested", "غُيِّر واختُبر"), "later": ("Not now", "يؤجَّل")}, limit=5, remind_h=24),
             change("note", ("Keep the outcome", "حفظ النتيجة"), "keys", {"name": "${ item.name }"}, state="${ steps.rotate.outcome }"),
             at_once=5, if_fails="collect", result="steps.rotate.outcome"),
        approve("confirm", ("Confirm the round", "تأكيد الجولة"), ("${ steps.due.count } keys of this round", "مفاتيح هذه الجولة: ${ steps.due.count }"), ("Outcomes: ${ steps.keys.results }", "النتائج: ${ steps.keys.results }"), TEAM, four_eyes="deciders", limit=5),
        tell("tell", "The round of keys has ended (${ steps.due.count }).", "انتهت جولة تدوير المفاتيح، وعددها ${ steps.due.count }."),
    ),
    (),
    (Table("keys", "Keys and secrets (names only)", "المفاتيح والأسرار (الأسماء فقط)", (
        column("name", "text", "Name", "الاسم"), column("system", "text", "System", "النظام"), column("state", "text", "State (“due” to be changed)", "الحالة (due: مستحق)"),
    )),),
    Schedule("First day of each quarter", "أول يوم من كل ربع سنة", "0 9 1 1,4,7,10 *"),
    days=30,
    needs=(Both("Rows in the table of keys: names only, never the keys themselves", "بيانات في جدول المفاتيح: الأسماء فقط دون المفاتيح نفسها"),),
)  # fmt: skip

RESPONSE = Sample(
    "security_incident", "octagon-x", "security",
    "Security incident response", "الاستجابة لحادثة أمن سيبراني",
    "Contain and keep evidence side by side, report to the NCA where it is due, repair, and look back; each phase with its own time.",
    "احتواء الحادثة وحفظ الأدلة معًا، وإبلاغ الهيئة الوطنية للأمن السيبراني عند الوجوب، ثم الاستعادة والدروس المستفادة، ولكل مرحلة مهلتها.",
    flow(
        tell("alarm", "Security incident: ${ input.title }", "حادثة أمن سيبراني: ${ input.title }", severity="error"),
        side("first", ("First hour", "الساعة الأولى"),
             [task("contain", ("Contain", "الاحتواء"), ("Contain: ${ input.title }", "احتواء: ${ input.title }"), ("Isolate ${ input.system }, lock accounts, keep it running if you can.", "عزل ${ input.system } وإيقاف الحسابات المتأثرة مع إبقائه يعمل إن أمكن."), limit=1, limit_unit="hours", escalate_h=1)],
             [task("evidence", ("Keep the evidence", "حفظ الأدلة"), ("Evidence: ${ input.title }", "أدلة: ${ input.title }"), ("Logs, memory, disk images; who touched what and when.", "السجلات وصور الذاكرة والأقراص، وتوثيق سلسلة الحيازة."), form=[asked("place", "text", "Where it is kept", "مكان الحفظ")], limit=4, limit_unit="hours")]),
        task("judge", ("Does it have to be reported?", "هل يجب الإبلاغ؟"), ("Report ${ input.title }?", "هل يُبلَّغ عن ${ input.title }؟"), ("To the NCA; and to SDAIA if personal data is touched.", "إلى الهيئة الوطنية للأمن السيبراني، وإلى سدايا إن شملت بيانات شخصية."), OFFICE,
             {"report": [task("report", ("Report to the NCA", "إبلاغ الهيئة الوطنية للأمن السيبراني"), ("Report: ${ input.title }", "إبلاغ: ${ input.title }"), ("", ""), form=[asked("reference", "text", "Reference of the report", "رقم البلاغ")], limit=4, limit_unit="hours")],
              "internal": [keep("internal", ("Only inside", "معالجة داخلية"), reported="no")]},
             outcomes={"report": ("Report", "يُبلَّغ"), "internal": ("Not due", "لا يلزم")}, limit=2, limit_unit="hours"),
        task("restore", ("Remove and restore", "الإزالة والاستعادة"), ("Restore ${ input.system }", "استعادة ${ input.system }"), ("Root cause removed, restored from a clean copy, watched.", "إزالة السبب الجذري، والاستعادة من نسخة سليمة، والمراقبة."), limit=5),
        approve("close", ("Close the incident", "إغلاق الحادثة"), ("Close: ${ input.title }", "إغلاق: ${ input.title }"), ("Lessons and follow-up measures.", "الدروس المستفادة والإجراءات التصحيحية."), TEAM, four_eyes="deciders", limit=10),
        row("note", ("Enter into the register", "القيد في سجل الحوادث"), "security_incidents", title="${ input.title }", system="${ input.system }", outcome="${ steps.close.outcome }"),
    ),
    (asked("title", "text", "What happened", "ما الذي حدث؟"), asked("system", "text", "System", "النظام المتأثر")),
    (Table("security_incidents", "Security incidents", "حوادث الأمن السيبراني", (
        column("title", "text", "Incident", "الحادثة"), column("system", "text", "System", "النظام"), column("outcome", "text", "Outcome", "النتيجة"),
    )),),
    days=30,
)  # fmt: skip

SAMPLES = (PHISHING, VULNERABILITY, ROTATION, RESPONSE)
