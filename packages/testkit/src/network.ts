import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as auth from '@claviger/contracts/auth/v1/auth';
import { layoutOf, openTargets } from '@claviger/installation';
import { Client } from '@claviger/postgres-client';
import { baseConfigSchema, createPeers, loadConfig, type ServiceClient } from '@claviger/service-kit';
import type pg from 'pg';
import { eventually } from './eventually.ts';
import { createRestClient, type RestClient } from './rest-client.ts';
import { enrolSecondFactor, type SecondFactor } from './second-factor.ts';
import { sessionToken } from './session.ts';

/**
 * The data a test needs to reach a running installation. Plain data: it is passed from the global set-up to
 * the tests.
 */
export interface NetworkAccess {
  readonly urls: readonly string[];
  readonly caCertificate: string;
  readonly operatorConfigFile: string;
  readonly dataDir: string;
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
  };
  readonly logFiles: Readonly<Record<string, string>>;
}

export interface TestUser {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  /** The access token of the sign-in, valid for five minutes. */
  readonly token: string;
  /** Returns a token of the same session that is valid for some minutes. */
  readonly freshToken: () => Promise<string>;
  /** Always uses a valid token. */
  readonly client: RestClient;
}

export interface TestTenant {
  readonly id: string;
  readonly name: string;
  readonly admin: TestUser;
  /** Creates a user with these roles and signs in. */
  createUser(roles: readonly string[], name?: string): Promise<TestUser>;
  signIn(username: string, password: string): Promise<string>;
}

export interface Network extends AsyncDisposable {
  readonly access: NetworkAccess;
  /** Anonymous, at the first gateway. */
  readonly anonymous: RestClient;
  readonly operator: ServiceClient<typeof auth.OperatorService>;
  /** Creates a tenant with its administrator: tests share an installation, but never a tenant. */
  createTenant(): Promise<TestTenant>;
  /** Creates an administrator of the operator's tenant with a recent second factor. */
  createPlatformAdministrator(): Promise<TestUser & { readonly factor: SecondFactor }>;
  /** Opens these ports of 127.0.0.1 to targets and destinations, as the operator does. */
  openTargets(...ports: readonly number[]): Promise<void>;
  /** Runs as superuser of the installation's PostgreSQL, to inspect or damage data. */
  superuser<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
}

const PASSWORD_SUFFIX = ' correct horse 9';
const PLATFORM = 'default';

/** Connects a test to a running installation. */
export function connectNetwork(access: NetworkAccess): Network {
  const peers = createPeers(loadConfig(baseConfigSchema, access.operatorConfigFile));
  const operator = peers.client('auth', auth.OperatorService);
  const anonymous = createRestClient({ baseUrl: access.urls[0]!, caCertificate: access.caCertificate });

  const signIn = async (tenant: string, username: string, password: string) => {
    const signedIn = await anonymous.must('POST', '/api/v1/auth/login', { username, password, tenant });
    const freshToken = sessionToken(anonymous, signedIn);
    return { token: signedIn.access_token as string, freshToken, client: anonymous.as(freshToken) };
  };

  const tenantOf = async (
    id: string,
    name: string,
    first: { id: string; username: string; password: string },
  ): Promise<TestTenant> => {
    const admin: TestUser = { ...first, ...(await signIn(name, first.username, first.password)) };
    return {
      id,
      name,
      admin,
      signIn: async (username, password) => (await signIn(name, username, password)).token,
      createUser: async (roles, username = `u-${randomUUID().slice(0, 8)}`) => {
        const password = `${randomUUID()}${PASSWORD_SUFFIX}`;
        const user = await admin.client.must('POST', '/api/v1/users', { username, roles });
        // The user sets the password: with a password that the administrator knows, the account would count
        // as the administrator's.
        const link = await admin.client.must('POST', `/api/v1/users/${user.id}/password/reset`, {});
        await anonymous.must('POST', '/api/v1/auth/password/reset', {
          token: link.resetToken,
          newPassword: password,
        });
        const session = await signIn(name, username, password);
        return { id: user.id as string, username, password, ...session };
      },
    };
  };

  /**
   * The platform has one first administrator: one of the test files that share it creates it, the others
   * reuse it.
   */
  const firstOfPlatform = async (): Promise<{ id: string; username: string; password: string }> => {
    const file = join(access.dataDir, 'run', 'first-administrator.json');
    try {
      const created = await operator.bootstrapAdministrator({ username: 'first', tenant: PLATFORM });
      const first = { id: created.userId, username: 'first', password: created.password };
      writeFileSync(`${file}.new`, JSON.stringify(first), { mode: 0o600 });
      renameSync(`${file}.new`, file);
      return first;
    } catch (error) {
      if ((error as { code?: string }).code !== 'already_set_up') throw error;
      return eventually(
        () => JSON.parse(readFileSync(file, 'utf8')) as Awaited<ReturnType<typeof firstOfPlatform>>,
      );
    }
  };

  return {
    access,
    anonymous,
    operator,
    createTenant: async () => {
      const name = `t${randomBytes(6).toString('hex')}`;
      const { tenantId } = await operator.provisionTenant({ name, displayName: name });
      const { userId, password } = await operator.bootstrapAdministrator({ username: 'admin', tenant: name });
      return tenantOf(tenantId, name, { id: userId, username: 'admin', password });
    },
    createPlatformAdministrator: async () => {
      const platform = await tenantOf('', PLATFORM, await firstOfPlatform());
      const user = await platform.createUser(['administrator']);
      return { ...user, factor: await enrolSecondFactor(user.client) };
    },
    openTargets: (...ports) =>
      openTargets(
        layoutOf(access.dataDir),
        ports.map((port) => `127.0.0.1:${port}`),
      ),
    superuser: async (work) => {
      const { host, port, user, password } = access.postgres;
      const client = new Client({
        host,
        port,
        user,
        database: 'claviger',
        password,
      });
      // The server may be killed in the meantime: the query reports it; an error event without a listener
      // would end the tests.
      client.on('error', () => {});
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    },
    [Symbol.asyncDispose]: async () => peers.close(),
  };
}
