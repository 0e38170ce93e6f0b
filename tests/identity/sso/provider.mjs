// A real OpenID Connect provider (the certified oidc-provider) for the journeys: people by their address, no password asked.
// Reads {issuer, port, clients, people} as JSON from its first argument; people can be changed at POST /test/people.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import Provider from 'oidc-provider';

const given = JSON.parse(process.argv[2]);
const people = new Map(given.people.map((each) => [each.sub, each]));

const provider = new Provider(given.issuer, {
  clients: given.clients,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'locale'] },
  conformIdTokenClaims: given.conform ?? true,
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true }, registration: { enabled: true } },
  interactions: { url: (_ctx, interaction) => `/test/enter/${interaction.uid}` },
  cookies: { keys: [randomUUID()] },
  pkce: { required: () => true },
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
  // Its own fetch refuses addresses of this machine, where all of a test is.
  fetch: (url, { dispatcher: _guard, ...options }) => fetch(url, options),
  async findAccount(_ctx, sub) {
    return people.has(sub) ? { accountId: sub, claims: () => people.get(sub) } : undefined;
  },
});

const answer = provider.callback();
createServer(async (request, response) => {
  const url = new URL(request.url, given.issuer);
  if (url.pathname === '/test/people') {
    let text = '';
    for await (const chunk of request) text += chunk;
    const person = JSON.parse(text);
    people.set(person.sub, person);
    return response.end();
  }
  if (url.pathname.startsWith('/test/enter/')) {
    // The page where a person would type: `x-person` says who they are, or that they turn round.
    const who = request.headers['x-person'];
    const result = who ? { login: { accountId: who } } : { error: 'access_denied', error_description: 'turned round' };
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
  return answer(request, response);
}).listen(given.port, '127.0.0.1', () => console.log('ready'));
