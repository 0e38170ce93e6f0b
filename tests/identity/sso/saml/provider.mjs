// A real SAML identity provider (samlp) for the journeys: people by their name, no password asked.
// Reads {issuer, port, key, cert, people, sps} as JSON from its first argument. POST /test/people and /test/sps change them; an `sp` is
// {entityId, acs, slo, cert, options} and `options` go to samlp as they are.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import samlp from 'samlp';

const given = JSON.parse(process.argv[2]);
const people = new Map(given.people.map((each) => [each.id, each]));
const sps = new Map(given.sps.map((each) => [each.entityId, each]));
const browsers = new Map(); // cookie → {person, index, flows}
const ours = { issuer: given.issuer, key: given.key, cert: given.cert };

// samlp calls a person's attributes claims, and asks a mapper for them.
const profileMapper = (person) => ({
  getClaims: () => person.attributes,
  getNameIdentifier: () => ({ nameIdentifier: person.id, nameIdentifierFormat: person.format ?? 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' }),
});

// The few words of Express that samlp speaks.
function speak(response) {
  response.set = (name, value) => response.setHeader(name, value);
  response.send = (body) => (typeof body === 'number' ? (response.writeHead(body), response.end()) : response.end(body));
  response.redirect = (url) => (response.writeHead(302, { Location: url }), response.end());
  return response;
}

function fail(response) {
  return (error) => (response.writeHead(400), response.end(String(error?.message ?? error)));
}

function askWho(request, response) {
  const kept = Object.entries(request.query).map(([name, value]) => `<input type="hidden" name="${name}" value="${value.replaceAll('"', '&quot;')}">`);
  response.set('Content-Type', 'text/html; charset=utf-8');
  response.send(`<!doctype html><title>Provider</title><form action="/sso"><label>Person <input name="person"></label>${kept.join('')}<button>Sign in</button></form>`);
}

function signIn(request, response) {
  samlp.parseRequest(request, {}, (broken, asked) => {
    const sp = broken ? undefined : sps.get(asked.issuer);
    if (!sp || asked.assertionConsumerServiceURL !== sp.acs) return fail(response)(broken ?? 'unknown application');
    const known = asked.forceAuthn === 'true' ? undefined : request.browser.person;
    const who = request.headers['x-person'] ?? request.query.person ?? known;
    if (!who) return askWho(request, response);
    const options = { ...ours, ...sp.options, destination: sp.acs, RelayState: request.query.RelayState, getPostURL: (...all) => all.at(-1)(null, sp.acs) };
    if (!people.has(who)) {
      const error = { code: 'urn:oasis:names:tc:SAML:2.0:status:Responder', description: 'turned away' };
      return samlp.sendError({ ...options, inResponseTo: asked.id, error: sp.options?.error ?? error })(request, response, fail(response));
    }
    request.user = people.get(who);
    request.browser.person = who;
    request.browser.index ??= `_${randomUUID()}`;
    request.browser.sp = sp;
    const { person: _person, ...query } = request.query;
    request.query = query;
    const more = { profileMapper, recipient: sp.acs, sessionIndex: request.browser.index, lifetimeInSeconds: 300, signingCert: sp.cert };
    return samlp.auth({ ...more, ...options })(request, response, fail(response));
  });
}

function signOut(request, response) {
  const { sp, person, index } = request.browser;
  const all = sp ? [{ serviceProviderId: sp.entityId, serviceProviderLogoutURL: sp.slo, nameId: person, nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', sessionIndex: index, binding: sp.binding, cert: sp.cert }] : [];
  const participants = {
    hasElements: () => all.length > 0,
    getFirst: (done) => done(null, all[0]),
    get: (_issuer, _indices, _name, done) => done(null, all[0]),
    remove: (_issuer, _index, _name, done) => done(null, all.pop()),
  };
  if (request.query.SAMLResponse) request.browser.wasAnswered = true;
  const binding = sp?.binding ?? 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
  const clearIdPSession = (done) => (delete request.browser.person, delete request.browser.index, done(sp?.options?.forgetful ? new Error('still there') : undefined));
  return samlp.logout({ ...ours, deflate: true, protocolBinding: binding, sessionParticipants: participants, clearIdPSession })(request, response, fail(response));
}

createServer(async (request, raw) => {
  const response = speak(raw);
  const url = new URL(request.url, given.base);
  let text = '';
  for await (const chunk of request) text += chunk;
  if (url.pathname === '/test/people') return people.set(JSON.parse(text).id, JSON.parse(text)), response.end();
  if (url.pathname === '/test/sps') return sps.set(JSON.parse(text).entityId, JSON.parse(text)), response.end();
  const cookie = /at=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? randomUUID();
  if (!browsers.has(cookie)) browsers.set(cookie, {});
  response.setHeader('Set-Cookie', `at=${cookie}; Path=/; HttpOnly`);
  request.browser = browsers.get(cookie);
  request.session = request.browser;
  request.query = Object.fromEntries(url.searchParams);
  request.body = Object.fromEntries(new URLSearchParams(text));
  request.originalUrl = request.url;
  request.protocol = 'http';
  if (url.pathname === '/metadata') {
    return samlp.metadata({ ...ours, redirectEndpointPath: '/sso', postEndpointPath: '/sso', logoutEndpointPaths: { redirect: '/logout' } })(request, response);
  }
  if (url.pathname === '/sso') return signIn(request, response);
  if (url.pathname === '/logout') return signOut(request, response);
  return response.send(404);
}).listen(given.port, '127.0.0.1', () => console.log('ready'));
