import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import { findProgram } from '../find-program.ts';
import { freePort } from '../free-port.ts';
import { type OwnedProcess, startOwned } from '../owned-process.ts';
import { selfSignedCertificate } from '../postgres/certificate.ts';
import { serverUser } from '../postgres/server-user.ts';
import { run } from '../run.ts';
import { createTargetFolder } from '../target-folder.ts';
import { until } from '../until.ts';
import { CONFIG_ADMIN, slapdConfig } from './slapd-config.ts';

/** An OpenLDAP server of its own on loopback: plain and StartTLS on one port, LDAPS on another. */
export interface LdapTarget extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly ldapsPort: number;
  readonly pid: number;
  readonly baseDn: string;
  /** The administrator, by distinguished name. */
  readonly admin: { readonly username: string; readonly password: string };
  /** The server's self-signed certificate (PEM), which is also the CA to verify it with. */
  readonly certificate: string;
  /** Adds `uid=…,ou=people,…`; answers its distinguished name. */
  createPerson(uid: string, password: string): Promise<string>;
  /** Whether the password is correct, by a bind. Throws for any failure except a refused password. */
  accepts(dn: string, password: string): Promise<boolean>;
  /** Sets attributes of the password policy, such as `pwdAllowUserChange: FALSE`. */
  setPolicy(attributes: Readonly<Record<string, string>>): Promise<void>;
  /** Runs with a client that is bound as the administrator. */
  asAdmin<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /**
   * Runs with a client that may change the server's own settings (`cn=config`), which take effect at once.
   */
  asConfigAdmin<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** Log of the requests to the server, without passwords. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts the server; takes less than a second. Throws when OpenLDAP is not installed or does not come up. */
export async function startLdapTarget(): Promise<LdapTarget> {
  const slapd = findProgram(['slapd'], 'slapd');
  const user = await serverUser(['openldap', 'nobody']);
  const folder = await createTargetFolder('ldap', user);
  try {
    const suffix = 'dc=claviger,dc=test';
    const admin = { username: `cn=admin,${suffix}`, password: randomBytes(24).toString('base64url') };
    const { certificate, privateKey } = await selfSignedCertificate();
    await mkdir(join(folder.path, 'data'), { mode: 0o700 });
    if (user !== undefined) await run('chown', [`${user.uid}:${user.gid}`, join(folder.path, 'data')]);
    const config = await folder.write(
      'slapd.conf',
      slapdConfig({
        folder: folder.path,
        suffix,
        admin,
        certificate: await folder.write('server.crt', certificate),
        key: await folder.write('server.key', privateKey),
      }),
    );
    const { server, port, ldapsPort } = await startOnFreePorts(slapd, config, admin, user);
    const url = `ldap://127.0.0.1:${port}`;
    const asAdmin = <T>(work: (client: Client) => Promise<T>) =>
      bound(url, admin.username, admin.password, work);
    await asAdmin((client) => addTree(client, suffix));
    const stop = async () => {
      await server.stop('SIGKILL');
      await folder.remove();
    };
    return {
      host: '127.0.0.1',
      port,
      ldapsPort,
      pid: server.pid,
      baseDn: suffix,
      admin,
      certificate,
      async createPerson(uid, password) {
        const escaped = uid
          .replace(/[\\,+"<>;=#]/g, (character) => `\\${character}`)
          .replace(/^ | $/g, '\\ ');
        const dn = `uid=${escaped},ou=people,${suffix}`;
        const attributes = { objectClass: ['inetOrgPerson'], uid, cn: uid, sn: uid, userPassword: password };
        await asAdmin((client) => client.add(dn, attributes));
        return dn;
      },
      async accepts(dn, password) {
        try {
          return await bound(url, dn, password, async () => true);
        } catch (error) {
          if (error instanceof Error && 'code' in error && error.code === 49) return false;
          throw error;
        }
      },
      setPolicy: (attributes) =>
        asAdmin((client) =>
          client.modify(
            `cn=policy,${suffix}`,
            Object.entries(attributes).map(
              ([type, value]) =>
                new Change({ operation: 'replace', modification: new Attribute({ type, values: [value] }) }),
            ),
          ),
        ),
      asAdmin,
      asConfigAdmin: (work) => bound(url, CONFIG_ADMIN, admin.password, work),
      log: server.log,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function addTree(client: Client, suffix: string): Promise<void> {
  await client.add(suffix, { objectClass: ['dcObject', 'organization'], dc: 'claviger', o: 'Claviger' });
  await client.add(`ou=people,${suffix}`, { objectClass: ['organizationalUnit'], ou: 'people' });
  await client.add(`cn=policy,${suffix}`, {
    objectClass: ['organizationalRole', 'pwdPolicy'],
    cn: 'policy',
    pwdAttribute: 'userPassword',
    pwdMinLength: '8',
    pwdCheckQuality: '2',
    pwdInHistory: '2',
    pwdLockout: 'FALSE',
  });
}

async function bound<T>(
  url: string,
  name: string,
  password: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ url, timeout: 10_000, connectTimeout: 10_000 });
  try {
    await client.bind(name, password);
    return await work(client);
  } finally {
    await client.unbind();
  }
}

async function startOnFreePorts(
  slapd: string,
  config: string,
  admin: LdapTarget['admin'],
  user: { readonly uid: number; readonly gid: number } | undefined,
): Promise<{ server: OwnedProcess; port: number; ldapsPort: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const [port, ldapsPort] = await Promise.all([freePort(), freePort()]);
    const urls = `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${ldapsPort}`;
    // With a debug level it stays in the foreground.
    const server = await startOwned(slapd, ['-f', config, '-h', urls, '-d', 'stats'], user ?? {});
    try {
      await until('LDAP target ready', async () => {
        if (!server.running()) return true;
        // The port alone does not prove that this is the server just started; its administrator's password
        // does.
        return bound(`ldap://127.0.0.1:${port}`, admin.username, admin.password, async () => true);
      });
    } catch (error) {
      await server.stop('SIGKILL');
      throw error;
    }
    if (server.running()) return { server, port, ldapsPort };
    if (attempt === 5) throw new Error(`The LDAP target did not start: ${server.log().slice(-500)}`);
  }
}
