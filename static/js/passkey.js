// Passkeys: asks the device and sends what it answers with an ordinary form. Browsers without them lose the buttons; those without scripts never see them (pages.css).

const knowsPasskeys = "PublicKeyCredential" in window && "parseRequestOptionsFromJSON" in PublicKeyCredential;

async function ask(form) {
  const token = document.querySelector("meta[name='csrf-token']").content;
  const answer = await fetch(form.dataset.options, { method: "POST", headers: { "X-CSRFToken": token, Accept: "application/json" } });
  if (!answer.ok || answer.redirected) return null;
  const options = await answer.json();
  return form.dataset.passkey === "create"
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

async function send(form, button) {
  const problem = form.querySelector("[data-passkey-error]");
  problem.hidden = true;
  button.setAttribute("aria-busy", "true");
  try {
    const credential = await ask(form);
    // No challenge: the form is sent without an answer, and the server says what is to be done first.
    form.elements.credential.value = credential ? JSON.stringify(credential.toJSON()) : "";
    return form.submit();
  } catch (error) {
    button.removeAttribute("aria-busy");
    problem.textContent = error.name === "InvalidStateError" ? form.dataset.held : form.dataset.refused;
    problem.hidden = false;
    return null;
  }
}

// Shown from the start and hidden here, not the other way round: almost every browser knows them, and nothing may move for those.
document.querySelectorAll("form[data-passkey]").forEach((form) => {
  form.hidden = !knowsPasskeys;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.getAttribute("aria-busy") !== "true") send(form, button);
  });
});

document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
