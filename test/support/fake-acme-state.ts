// What the fake CA knows and says by itself: accounts, orders, authorizations, certificates (RFC 8555, RFC 9773, profiles).
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';
import { ariCertId } from '../../src/certs/certificate.ts';
import { mintCertificate } from '../../src/certs/mint.ts';
import type { Answer, Call } from './fake-acme.ts';
import { isBound, isSignedBy, type Jwk, jwkOf, readJws, thumbprint } from './fake-jws.ts';
import { type Authority, makeAuthority } from './minted.ts';

export interface FakeSettings {
  /** External account binding that is asked for. Default null. */
  binding: { readonly keyId: string; readonly hmacKey: string } | null;
  /** Default none. */
  profiles: Readonly<Record<string, string>>;
  /** Default the HTTP, DNS and ALPN ones. */
  challenges: readonly string[];
  /** Whether it knows ARI. Default true. */
  ari: boolean;
  /** Whether an account lists its orders. Default false, like Let's Encrypt. */
  orderLists: boolean;
  /** Whether a pending order for the same is given again, like Boulder does. Default true. */
  reusesOrders: boolean;
  /** Whether a proof counts for later orders of the account. Default false. */
  reusesProofs: boolean;
  /** Roots over the signing authority, the default chain's first. Default none: the authority is the root. */
  roots: readonly string[];
  /** Its clock against ours. Default 0. */
  clockAheadMs: number;
}

export interface Account {
  readonly url: string;
  jwk: Jwk;
  status: string;
}

export interface Authorization {
  readonly identifier: { readonly type: string; readonly value: string };
  readonly wildcard: boolean;
  readonly token: string;
  status: string;
  /** The type that was judged. */
  judged: string | null;
  error: object | null;
}

export interface Order {
  readonly account: Account;
  readonly names: readonly string[];
  readonly profile: string | null;
  readonly replaces: string | null;
  readonly authorizations: readonly Authorization[];
  status: string;
  leaf: string;
}

const WINDOW = { start: '2026-01-02T04:00:00Z', end: '2026-01-03T04:00:00Z' };

export class FakeAcmeState {
  readonly settings: FakeSettings = {
    binding: null,
    profiles: {},
    challenges: ['dns-01', 'http-01', 'tls-alpn-01'],
    ari: true,
    orderLists: false,
    reusesOrders: true,
    reusesProofs: false,
    roots: [],
    clockAheadMs: 0,
  };
  readonly accounts: Account[] = [];
  readonly orders: Order[] = [];
  /** Serial numbers → reason. */
  readonly revoked = new Map<string, number>();
  readonly authority: Authority = makeAuthority('Fake ACME Root');
  readonly #roots = new Map<string, string>();
  readonly #url: (step: string, id?: string) => string;
  lookUp: (host: string, token: string, type: string) => string | null = () => 'yes';

  constructor(url: (step: string, id?: string) => string) {
    this.#url = url;
  }

  /** Certificates made so far. */
  get issued(): readonly string[] {
    return this.orders.flatMap(({ leaf }) => (leaf === '' ? [] : [leaf]));
  }

  /** null: signed as it must be, by whom it must be. */
  check(call: Call): Answer | null {
    const { header, jws, step } = call;
    if (jws === null) return null;
    const { jwk, kid } = header;
    if (header.url !== call.url) return problem(400, 'malformed', `url is ${header.url}`);
    if ((jwk === undefined) === (kid === undefined)) return problem(400, 'malformed', 'jwk or kid');
    if (jwk !== undefined) {
      if (step !== 'newAccount' && step !== 'revokeCert') return problem(400, 'malformed', 'kid is missing');
      return isSignedBy(jws, jwk) ? null : problem(400, 'malformed', 'signature');
    }
    const account = this.accounts.find(({ url }) => url === kid);
    if (account === undefined) return problem(400, 'accountDoesNotExist', `account ${kid} not found`);
    if (!isSignedBy(jws, account.jwk)) return problem(400, 'malformed', 'signature');
    if (account.status === 'valid') return null;
    return problem(403, 'unauthorized', `Account is not valid, has status "${account.status}"`);
  }

  answer(call: Call): Answer {
    const id = call.url.split('/')[4] ?? '0';
    const order = this.orders[Number.parseInt(id, 10)];
    switch (call.step) {
      case 'directory':
        return { body: this.#directory() };
      case 'newNonce':
        return {};
      case 'newAccount':
        return this.#newAccount(call);
      case 'account':
        return { body: { status: 'valid', ...(this.settings.orderLists ? { orders: this.#url('orders', id) } : {}) } };
      case 'orders': {
        const urls = this.orders.flatMap(({ account }, index) =>
          account.url === call.header.kid ? [this.#url('order', `${index}`)] : [],
        );
        return { body: { orders: urls } };
      }
      case 'keyChange':
        return this.#changeKey(call);
      case 'newOrder':
        return this.#newOrder(call);
      case 'renewalInfo':
        return this.#renewalInfo(id);
      case 'revokeCert':
        return this.#revoke(call);
      default:
        if (order === undefined) return problem(404, 'malformed', 'no such resource');
        return this.#answerOrder(call, order, id);
    }
  }

  #answerOrder(call: Call, order: Order, id: string): Answer {
    const authorization = order.authorizations[Number(id.split('-')[1] ?? 0)]!;
    switch (call.step) {
      case 'order':
        return { body: this.#describe(order) };
      case 'authorization':
        return { body: this.#authorization(order, authorization) };
      case 'challenge': {
        const type = id.split('-').slice(2).join('-');
        this.#judge(order, authorization, type);
        return { body: { type, status: 'processing', url: call.url, token: authorization.token } };
      }
      case 'finalize':
        if (order.status !== 'ready') return problem(403, 'orderNotReady', `order is ${order.status}`);
        order.leaf = this.#issue(order.names, String(call.payload?.csr));
        order.status = 'valid';
        return { body: { ...this.#describe(order), status: 'processing' } };
      default:
        return this.#chain(order, Number(id.split('-')[1] ?? 0));
    }
  }

  #directory(): object {
    const names = ['newNonce', 'newAccount', 'newOrder', 'revokeCert', 'keyChange'];
    const { binding, profiles, ari } = this.settings;
    return {
      ...Object.fromEntries(names.map((name) => [name, this.#url(name)])),
      ...(ari ? { renewalInfo: this.#url('renewalInfo', '').slice(0, -1) } : {}),
      meta: { profiles, externalAccountRequired: binding !== null },
    };
  }

  #newAccount({ header, payload, url }: Call): Answer {
    const jwk = header.jwk!;
    const known = this.accounts.find((account) => thumbprint(account.jwk) === thumbprint(jwk));
    if (known !== undefined) return { headers: { location: known.url }, body: { status: known.status } };
    if (payload?.onlyReturnExisting) return problem(400, 'accountDoesNotExist', 'no account has this key');
    const { binding } = this.settings;
    if (binding !== null) {
      if (payload?.externalAccountBinding === undefined)
        return problem(403, 'externalAccountRequired', 'external account binding required');
      const bound = readJws(payload.externalAccountBinding as object);
      const isRight = bound.header.kid === binding.keyId && bound.header.url === url;
      if (!isRight || !isBound(bound, binding.hmacKey, jwk)) return problem(403, 'unauthorized', 'binding is wrong');
    }
    const account = { url: this.#url('account', `${this.accounts.length}`), jwk, status: 'valid' };
    this.accounts.push(account);
    return { status: 201, headers: { location: account.url }, body: { status: 'valid' } };
  }

  #changeKey({ header, payload, url }: Call): Answer {
    const account = this.accounts.find((each) => each.url === header.kid)!;
    const inner = readJws(payload!);
    const { jwk } = inner.header;
    const { account: named, oldKey } = inner.payload as { account: string; oldKey: Jwk };
    const isRight = jwk !== undefined && isSignedBy(inner, jwk) && inner.header.url === url && named === account.url;
    if (!isRight || thumbprint(oldKey) !== thumbprint(account.jwk)) return problem(400, 'malformed', 'inner JWS');
    account.jwk = jwk;
    return { body: { status: 'valid' } };
  }

  #newOrder({ header, payload }: Call): Answer {
    const account = this.accounts.find(({ url }) => url === header.kid)!;
    const identifiers = payload?.identifiers as { type: string; value: string }[];
    const names = identifiers.map(({ value }) => value);
    const profile = (payload?.profile as string | undefined) ?? null;
    const replaces = (payload?.replaces as string | undefined) ?? null;
    for (const { type, value } of identifiers)
      if ((isIP(value) === 0 ? 'dns' : 'ip') !== type) return problem(400, 'malformed', `${value} is no ${type}`);
    if (profile !== null && !(profile in this.settings.profiles)) return problem(400, 'invalidProfile', profile);
    if (replaces !== null && this.orders.some((order) => order.replaces === replaces))
      return problem(
        409,
        'alreadyReplaced',
        'cannot indicate it replaces a certificate that already has been replaced',
      );
    const same = (order: Order): boolean =>
      order.account === account &&
      order.profile === profile &&
      order.names.join() === names.join() &&
      ['pending', 'ready'].includes(order.status);
    let order = this.settings.reusesOrders ? this.orders.find(same) : undefined;
    if (order === undefined) {
      const number = `${this.orders.length}`.padStart(8, '0');
      const authorizations = identifiers.map(({ type, value }, index) => ({
        identifier: { type, value: value.replace('*.', '') },
        wildcard: value.startsWith('*.'),
        token: `token-of-order-${number}${index === 0 ? '' : `-${index}`}`,
        status: this.#isProved(account, value) ? 'valid' : 'pending',
        judged: null,
        error: null,
      }));
      const status = authorizations.every((each) => each.status === 'valid') ? 'ready' : 'pending';
      order = { account, names, profile, replaces, authorizations, status, leaf: '' };
      this.orders.push(order);
    }
    const location = this.#url('order', `${this.orders.indexOf(order)}`);
    return { status: 201, headers: { location }, body: this.#describe(order) };
  }

  #isProved(account: Account, name: string): boolean {
    if (!this.settings.reusesProofs) return false;
    return this.orders.some(
      (order) => order.account === account && order.authorizations[order.names.indexOf(name)]?.status === 'valid',
    );
  }

  #describe(order: Order): object {
    const index = this.orders.indexOf(order);
    const failed = order.authorizations.find(({ error }) => error !== null);
    return {
      status: order.status,
      identifiers: order.names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      expires: new Date(Date.now() + this.settings.clockAheadMs + 7 * 86_400_000).toISOString(),
      error: failed?.error ?? undefined,
      authorizations: order.authorizations.map((_, each) => this.#url('authorization', `${index}-${each}`)),
      finalize: this.#url('finalize', `${index}`),
      ...(order.status === 'valid' ? { certificate: this.#url('certificate', `${index}`) } : {}),
    };
  }

  #authorization(order: Order, { identifier, wildcard, token, status, judged, error }: Authorization): object {
    const id = `${this.orders.indexOf(order)}-${order.authorizations.findIndex((each) => each.token === token)}`;
    // Boulder shows of a judged authorization the challenge that was tried, and no other.
    const offered = judged === null ? this.settings.challenges : [judged];
    const types = offered.filter((type) => !wildcard || type.startsWith('dns'));
    const challenges = types.map((type) => ({
      type,
      url: this.#url('challenge', `${id}-${type}`),
      status: judged === type ? status : 'pending',
      ...(type === 'dns-persist-01' ? { 'issuer-domain-names': ['ca.example'] } : { token }),
      ...(judged === type && error !== null ? { error } : {}),
    }));
    return { identifier, status, challenges, ...(wildcard ? { wildcard } : {}) };
  }

  #judge(order: Order, authorization: Authorization, type: string): void {
    const { token, identifier } = authorization;
    const answer = this.lookUp(identifier.value, token, type);
    const isRight = answer === 'yes' || answer === `${token}.${thumbprint(order.account.jwk)}`;
    authorization.judged = type;
    authorization.status = isRight ? 'valid' : 'invalid';
    if (!isRight) {
      const urn = 'urn:ietf:params:acme:error:unauthorized';
      authorization.error = { type: urn, detail: 'Invalid response: 404', status: 403 };
      order.status = 'invalid';
    } else if (order.authorizations.every(({ status }) => status === 'valid')) order.status = 'ready';
  }

  #renewalInfo(id: string): Answer {
    const isKnown = this.issued.some((certPem) => ariCertId({ certPem }) === id);
    if (!isKnown) return problem(404, 'malformed', 'certificate not found');
    return { headers: { 'retry-after': '21600' }, body: { suggestedWindow: WINDOW } };
  }

  #revoke({ header, payload }: Call): Answer {
    const { certificate, reason } = payload as { certificate: string; reason: number };
    const leaf = new X509Certificate(Buffer.from(certificate, 'base64url'));
    const order = this.orders.find((each) => each.leaf !== '' && new X509Certificate(each.leaf).raw.equals(leaf.raw));
    if (order === undefined) return problem(404, 'malformed', 'no such certificate');
    const byOwner = header.kid === order.account.url;
    const byKey = header.jwk !== undefined && thumbprint(header.jwk) === thumbprint(jwkOf(leaf.publicKey));
    if (!byOwner && !byKey) return problem(403, 'unauthorized', 'the certificate belongs to somebody else');
    if (this.revoked.has(leaf.serialNumber)) return problem(400, 'alreadyRevoked', 'already revoked');
    this.revoked.set(leaf.serialNumber, reason);
    return {};
  }

  #chain(order: Order, number: number): Answer {
    const index = this.orders.indexOf(order);
    const { roots } = this.settings;
    const others = number > 0 ? [] : roots.slice(1).map((_, each) => this.#url('alternate', `${index}-${each + 1}`));
    const link = others.map((url) => `<${url}>;rel="alternate"`).join(', ');
    const headers = { 'content-type': 'application/pem-certificate-chain', ...(link === '' ? {} : { link }) };
    return { headers, body: order.leaf + (roots[number] === undefined ? '' : this.#crossSigned(roots[number])) };
  }

  /** The signing authority's certificate by a root of this name. */
  #crossSigned(root: string): string {
    const made = this.#roots.get(root) ?? this.#cross(makeAuthority(root));
    this.#roots.set(root, made);
    return made;
  }

  #cross(root: Authority): string {
    const { subject, keyPem } = this.authority;
    const template = {
      subject,
      names: [],
      authority: true,
      notBefore: Date.now() - 1_000,
      notAfter: Date.now() + 1e11,
    };
    const signer = { subject: root.subject, key: createPrivateKey(root.keyPem) };
    return mintCertificate(template, createPublicKey(keyPem), signer);
  }

  /** Signs a leaf for the public key inside a PKCS#10 request. */
  #issue(names: readonly string[], csr: string): string {
    const notBefore = Date.now() + this.settings.clockAheadMs - 3_600_000;
    const template = { subject: names[0]!, names, authority: false, notBefore, notAfter: notBefore + 90 * 86_400_000 };
    const { subject, keyPem } = this.authority;
    return mintCertificate(template, keyInRequest(csr), { subject, key: createPrivateKey(keyPem) });
  }
}

/** A problem document (RFC 7807). */
export function problem(status: number, type: string, detail: string, more: object = {}, headers = {}): Answer {
  const body = { type: `urn:ietf:params:acme:error:${type}`, detail, status, ...more };
  return { status, headers: { 'content-type': 'application/problem+json', ...headers }, body };
}

function keyInRequest(csr: string): KeyObject {
  const request = forge.asn1.fromDer(Buffer.from(csr, 'base64url').toString('latin1'));
  const info = (request.value as forge.asn1.Asn1[])[0]!;
  const spki = forge.asn1.toDer((info.value as forge.asn1.Asn1[])[2]!).getBytes();
  return createPublicKey({ key: Buffer.from(spki, 'latin1'), format: 'der', type: 'spki' });
}
