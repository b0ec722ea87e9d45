import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import { readMessages } from '../hostile/message-reader.ts';
import { selfSignedCertificate } from '../postgres/certificate.ts';
import { answer, attribute, type BerNode, ber, lengthAt, outcome, readBer } from './ber.ts';

const BASE = 'dc=corp,dc=example';
const DISABLED = 0x2;
const LOCKED = 0x10;

/** An account of the played domain: its password, and attributes as Active Directory shows them. */
export interface PlayedAccount {
  readonly dn: string;
  password: string;
  readonly attributes: Record<string, string>;
}

/**
 * Simulates a domain controller of CORP (corp.example) as documented: forms of names, result codes and
 * messages, over TLS. It has only the attributes that tests give it, and cannot replace a real one.
 */
export interface PlayedActiveDirectory extends AsyncDisposable {
  readonly port: number;
  readonly baseDn: string;
  readonly certificate: string;
  readonly admin: { readonly username: string; readonly password: string };
  /** Adds `CN=name,CN=Users,…`. */
  createAccount(name: string, password: string, attributes?: Readonly<Record<string, string>>): PlayedAccount;
  /** The domain's minimum age of passwords, in seconds. */
  setMinimumAge(seconds: number): void;
}

/** The time in 100 ns since 1601. */
export const windowsTicks = (time: Date): string =>
  String(BigInt(time.getTime() + 11_644_473_600_000) * 10_000n);

/** Starts it on a free port of loopback. */
export async function startActiveDirectory(): Promise<PlayedActiveDirectory> {
  const { certificate, privateKey } = await selfSignedCertificate();
  const directory = new Directory();
  const sockets = new Set<Socket>();
  const server = createServer({ cert: certificate, key: privateKey }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    const session = { user: undefined as PlayedAccount | undefined };
    readMessages(socket, lengthAt, (message) => {
      const [id, request] = readBer(message)[0]?.parts ?? [];
      if (id === undefined || request === undefined) return void socket.destroy();
      for (const reply of directory.answer(session, request))
        socket.write(answer(ber(0x02, id.bytes), reply));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const admin = { username: 'CORP\\admin', password: randomBytes(12).toString('base64url') };
  directory.add('admin', admin.password, {});
  return {
    port: (server.address() as AddressInfo).port,
    baseDn: BASE,
    certificate,
    admin,
    createAccount: (name, password, attributes = {}) => directory.add(name, password, attributes),
    setMinimumAge: (seconds) => directory.setMinimumAge(seconds),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface Session {
  user: PlayedAccount | undefined;
}

const text = (node: BerNode | undefined) => node?.bytes.toString() ?? '';
const same = (one: string | undefined, other: string) => one?.toLowerCase() === other.toLowerCase();

class Directory {
  readonly #accounts: PlayedAccount[] = [];
  #minimumAge = 0;

  add(name: string, password: string, attributes: Readonly<Record<string, string>>): PlayedAccount {
    const account = {
      dn: `CN=${name},CN=Users,DC=corp,DC=example`,
      password,
      attributes: {
        objectClass: 'person',
        sAMAccountName: name,
        userPrincipalName: `${name}@corp.example`,
        'msDS-PrincipalName': `CORP\\${name}`,
        userAccountControl: '512',
        'msDS-User-Account-Control-Computed': '0',
        accountExpires: '9223372036854775807',
        pwdLastSet: windowsTicks(new Date()),
        ...attributes,
      },
    };
    this.#accounts.push(account);
    return account;
  }

  setMinimumAge(seconds: number): void {
    this.#minimumAge = seconds;
  }

  answer(session: Session, request: BerNode): Buffer[] {
    switch (request.tag) {
      case 0x60:
        return [this.#bind(session, request)];
      case 0x63:
        return this.#search(request);
      case 0x66:
        return [this.#modify(session, request)];
      case 0x77:
        return [this.#whoAmI(session)];
      default:
        return [];
    }
  }

  #bind(session: Session, { parts: [, name, password] }: BerNode): Buffer {
    const refused = (data: string) =>
      outcome(
        0x61,
        49,
        `80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data ${data}, v4563\0`,
      );
    const user = this.#accounts.find(({ dn, attributes }) =>
      [dn, attributes.userPrincipalName, attributes['msDS-PrincipalName']].some((form) =>
        same(form, text(name)),
      ),
    );
    if (user === undefined) return refused('525');
    const { attributes } = user;
    if ((Number(attributes['msDS-User-Account-Control-Computed']) & LOCKED) !== 0) return refused('775');
    if (user.password !== text(password)) return refused('52e');
    const data = attributes.bindData ?? stateOf(attributes);
    if (data !== undefined) return refused(data);
    session.user = user;
    return outcome(0x61, 0);
  }

  #search({ parts: [base, scope, , , , , filter] }: BerNode): Buffer[] {
    const dn = text(base);
    const entries = [
      ...this.#accounts,
      { dn: '', attributes: { defaultNamingContext: BASE } },
      { dn: BASE, attributes: { minPwdAge: String(-this.#minimumAge * 10_000_000) } },
    ];
    const found =
      scope?.bytes[0] === 0
        ? entries.filter((entry) => same(entry.dn, dn))
        : this.#accounts.filter(({ attributes }) => filter !== undefined && matches(filter, attributes));
    if (scope?.bytes[0] === 0 && found.length === 0)
      return [outcome(0x65, 32, '0000208D: NameErr: DSID-0310028B, problem 2001 (NO_OBJECT), data 0\0')];
    return [
      ...found.map((entry) =>
        ber(
          0x64,
          ber(0x04, entry.dn),
          ber(0x30, ...Object.entries(entry.attributes).map(([type, value]) => attribute(type, [value]))),
        ),
      ),
      outcome(0x65, 0),
    ];
  }

  #modify({ user }: Session, { parts: [name, changes] }: BerNode): Buffer {
    const account = this.#accounts.find(({ dn }) => same(dn, text(name)));
    if (account === undefined) return outcome(0x67, 32, '0000208D: NameErr: problem 2001 (NO_OBJECT)\0');
    let old: string | undefined;
    for (const {
      parts: [operation, modification],
    } of changes?.parts ?? []) {
      const [type, values] = modification?.parts ?? [];
      const [value] = values?.parts ?? [];
      if (text(type) !== 'unicodePwd') {
        account.attributes[text(type)] = text(value);
        continue;
      }
      const password = value?.bytes.toString('utf16le').slice(1, -1) ?? '';
      if (operation?.bytes[0] === 1) old = password;
      else {
        const refusal = this.#refusal(user, account, old, password);
        if (refusal !== undefined) return refusal;
        account.password = password;
        account.attributes.pwdLastSet = windowsTicks(new Date());
      }
    }
    return outcome(0x67, 0);
  }

  #refusal(
    user: PlayedAccount | undefined,
    account: PlayedAccount,
    old: string | undefined,
    next: string,
  ): Buffer | undefined {
    const constraint = (error: string) =>
      outcome(
        0x67,
        19,
        `${error}: AtrErr: DSID-03190FC9, #1:\n\t0: ${error}: DSID-03190FC9, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)\n\0`,
      );
    if (old === undefined && user?.attributes.sAMAccountName !== 'admin')
      return outcome(
        0x67,
        50,
        '00000005: SecErr: DSID-031A11EF, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\0',
      );
    if (old !== undefined && old !== account.password) return constraint('00000056');
    const age = (Date.now() - (Number(account.attributes.pwdLastSet) / 10_000 - 11_644_473_600_000)) / 1_000;
    if (old !== undefined && age < this.#minimumAge) return constraint('0000052D');
    return next.length < 8 ? constraint('0000052D') : undefined;
  }

  #whoAmI({ user }: Session): Buffer {
    const name = `u:${user?.attributes['msDS-PrincipalName'] ?? ''}`;
    return ber(0x78, ber(0x0a, Buffer.from([0])), ber(0x04, ''), ber(0x04, ''), ber(0x8b, name));
  }
}

/** The error number for a login with the correct password, by the state of the account. */
function stateOf(attributes: Readonly<Record<string, string>>): string | undefined {
  if ((Number(attributes.userAccountControl) & DISABLED) !== 0) return '533';
  if (BigInt(attributes.accountExpires ?? 0) < BigInt(windowsTicks(new Date()))) return '701';
  return attributes.pwdLastSet === '0' ? '773' : undefined;
}

/** Only `&` of equalities is supported. */
function matches({ tag, parts }: BerNode, attributes: Readonly<Record<string, string>>): boolean {
  if (tag === 0xa0) return parts.every((part) => matches(part, attributes));
  const [type, value] = parts;
  return tag === 0xa3 && same(attributes[text(type)], text(value));
}
