import type { ConnectorContext, Credential, TestResult } from '../connector.ts';
import { operationSignal } from '../deadline.ts';
import { testFailure } from '../outcome.ts';
import { serverText } from '../server-text.ts';
import type { LdapConfig } from './config.ts';
import { bindName } from './names.ts';
import { type LdapSession, openSession } from './session.ts';

/** Binds, and asks what kind of server it is. */
export async function testLdap(
  config: LdapConfig,
  credential: Credential,
  ctx: ConnectorContext,
): Promise<TestResult> {
  const startedAtMs = performance.now();
  try {
    const login = { name: bindName(config, credential.username, true), password: credential.password };
    await using session = await openSession(config, login, ctx, operationSignal(ctx));
    const latencyMs = Math.round(performance.now() - startedAtMs);
    const serverVersion = await versionOf(session);
    return { ok: true, latencyMs, ...(serverVersion === '' ? {} : { serverVersion }) };
  } catch (error) {
    return testFailure(error, startedAtMs);
  }
}

/** Servers may hide this. */
async function versionOf({ client }: LdapSession): Promise<string> {
  const attributes = ['vendorName', 'vendorVersion', 'supportedLDAPVersion'];
  try {
    const { searchEntries } = await client.search('', {
      scope: 'base',
      filter: '(objectClass=*)',
      attributes,
    });
    const [root] = searchEntries;
    const vendor = [root?.vendorName, root?.vendorVersion].filter(
      (value) => typeof value === 'string' && value !== '',
    );
    if (vendor.length > 0) return serverText(vendor.join(' '));
    return root === undefined ? '' : serverText(`LDAP ${[root.supportedLDAPVersion].flat().join(', ')}`);
  } catch {
    return '';
  }
}
