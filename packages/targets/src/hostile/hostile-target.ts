import { playTo, type Script } from './hostile-server.ts';
import { httpBehaviours } from './http.ts';
import { ldapBehaviours } from './ldap.ts';
import { mysqlBehaviours } from './mysql.ts';
import { postgresBehaviours } from './postgres.ts';
import { hostileSshFingerprint, sshBehaviours } from './ssh.ts';

/** The account whose password hostile targets know, like a compromised host. */
export const HOSTILE_ACCOUNT = { username: 'app', password: 'Correct-Horse-7' } as const;

const behaviours = {
  http: httpBehaviours(),
  ldap: ldapBehaviours(),
  mysql: mysqlBehaviours(HOSTILE_ACCOUNT),
  postgres: postgresBehaviours(HOSTILE_ACCOUNT),
  ssh: sshBehaviours(HOSTILE_ACCOUNT),
} as const satisfies Record<string, Record<string, Script>>;

export type HostileType = keyof typeof behaviours;

/** Every type of target with all its hostile behaviours. */
export const hostileBehaviours: readonly { readonly type: HostileType; readonly behaviour: string }[] =
  Object.entries(behaviours).flatMap(([type, scripts]) =>
    Object.keys(scripts).map((behaviour) => ({ type: type as HostileType, behaviour })),
  );

/** A target with a hostile behaviour. */
export interface HostileTarget extends AsyncDisposable {
  readonly type: HostileType;
  readonly behaviour: string;
  readonly port: number;
  /** Number of connections so far. */
  readonly connections: () => number;
  /** The connector's settings to reach it. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const withPassword = { basicAuth: { username: '{username}', password: '{password}' } };
const settings: Readonly<Record<HostileType, object>> = {
  http: {
    verify: {
      method: 'GET',
      path: '/api/me',
      ...withPassword,
      accepted: { status: [200], pointer: '/user' },
    },
    rotate: {
      method: 'POST',
      path: '/api/password',
      ...withPassword,
      body: { type: 'json', value: { user: '{username}', password: '{newPassword}' } },
      accepted: { status: [200], pointer: '/changed', equals: true },
    },
  },
  ldap: { baseDn: 'dc=x', userDn: 'uid={username},dc=x', privilegedGroups: ['cn=group-7,dc=x'] },
  mysql: {},
  postgres: {},
  ssh: { hostKeys: [hostileSshFingerprint] },
};

/** Settings of the connector for a hostile target at this port. */
export function hostileSettings(type: HostileType, port: number): Record<string, unknown> {
  const plain = type === 'ssh' ? {} : { tls: { mode: 'disable' } };
  return { host: '127.0.0.1', port, ...plain, ...settings[type] };
}

export async function startHostileTarget(type: HostileType, behaviour: string): Promise<HostileTarget> {
  const scripts: Record<string, Script> = behaviours[type];
  const script = scripts[behaviour];
  if (script === undefined) throw new Error(`There is no behaviour '${behaviour}' of ${type}.`);
  const server = await playTo(script);
  return {
    type,
    behaviour,
    port: server.port,
    connections: server.connections,
    settings: hostileSettings(type, server.port),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
