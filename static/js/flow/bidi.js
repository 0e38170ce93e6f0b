// `${ … }` among Arabic: an isolate around each keeps it left to right in the field. The server takes them out when it reads a field,
// and puts them in when it draws one (`designer/bidi.py`); here they follow what one types, and do not go along with what is copied.
const LRI = "\u2066";
const FIELDS = "[data-takes=template][dir=auto]";
const PDI = "\u2069";
const ARABIC = /[\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefc]/;
const VALUE = /\$\{(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\{[^{}\n]*\}|[^{}"'\n])*\}|\$\{(?:[ -~]*[!-~])?/g;

const bare = (text) => text.replace(/[\u2066\u2069]/g, "");
const isolated = (text) => (ARABIC.test(text) ? text.replace(VALUE, `${LRI}$&${PDI}`) : text);

// Where a cursor stands in the new text that had so many real signs before it: inside of an isolate while one deletes or has not closed it.
export function placeIn(text, signs, isInside) {
  let at = 0;
  for (let left = signs; at < text.length && (left > 0 || (text[at] === PDI && !isInside)); at += 1) {
    if (text[at] !== LRI && text[at] !== PDI) left -= 1;
  }
  return at;
}

export function isolate(field, isDeleting = false) {
  if (!field.matches(FIELDS)) return;
  const text = isolated(bare(field.value));
  if (text === field.value && !isDeleting) return;
  const before = bare(field.value.slice(0, field.selectionStart));
  const place = placeIn(text, before.length, isDeleting || before.lastIndexOf("${") > before.lastIndexOf("}"));
  if (text !== field.value) field.value = text;
  field.setSelectionRange(place, place);
}

document.addEventListener("input", (event) => {
  if (!event.isComposing && event.target.matches?.(FIELDS)) isolate(event.target, event.inputType?.startsWith("delete"));
}, true);

for (const kind of ["copy", "cut"]) {
  document.addEventListener(kind, (event) => {
    const field = event.target;
    if (!field.matches?.(FIELDS) || field.selectionStart === field.selectionEnd) return;
    event.clipboardData.setData("text/plain", bare(field.value.slice(field.selectionStart, field.selectionEnd)));
    event.preventDefault();
    if (kind === "cut") document.execCommand("delete");
  });
}
