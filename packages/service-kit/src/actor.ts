/** Who makes a call, as auth has confirmed within the last minute. */
export interface Actor {
  readonly userId: string;
  readonly userName: string;
  readonly tenantId: string;
  /** Whether the actor belongs to the tenant that runs the installation. */
  readonly platform: boolean;
  readonly sessionId: string;
  /** For `agent`, `userId` is the id of the device and `userName` its host name. */
  readonly kind: 'user' | 'api-token' | 'agent';
  readonly permissions: ReadonlySet<string>;
  /** Names of the roles of the user. */
  readonly roles: readonly string[];
  /** The second factor is still missing: the session may only complete the challenge or end. */
  readonly mfaPending: boolean;
  /** When a second factor was last verified in this session, in epoch seconds; 0 for never. */
  readonly mfaAt: number;
  /** Whether the actor has emergency access open. Administration is refused meanwhile. */
  readonly emergency?: boolean;
  /** The sites to which the actor is restricted; absent for no restriction. */
  readonly siteIds?: readonly string[];
  /** For a machine identity: the person responsible for it. */
  readonly responsibleId?: string;
  /**
   * Other people who control this account: the person responsible for a machine identity, and a person who
   * set a password that the owner has not changed. Actions of the actor count as theirs.
   */
  readonly behind?: readonly string[];
  /** For an agent: the site of its device. */
  readonly device?: DeviceClaims;
}

export interface DeviceClaims {
  /** Null when the device has no site. */
  readonly siteId: string | null;
  readonly siteName: string;
}

/** The actor and the people behind it. None of them may decide a request of the actor. */
export function peopleBehind(actor: Pick<Actor, 'userId' | 'behind'>): readonly string[] {
  return [actor.userId, ...(actor.behind ?? []).filter((id) => id !== actor.userId)];
}

/** Whether the actor may access something at this site; null for something without a site. */
export function withinSites(actor: Pick<Actor, 'siteIds'>, siteId: string | null): boolean {
  return actor.siteIds === undefined || (siteId !== null && actor.siteIds.includes(siteId));
}

/**
 * Whether a granted permission covers `permission`. `vault.*` covers `vault.entries.read`; `*` covers all.
 */
export function permits(granted: ReadonlySet<string>, permission: string): boolean {
  if (granted.has(permission) || granted.has('*')) return true;
  let dot = permission.lastIndexOf('.');
  while (dot > 0) {
    if (granted.has(`${permission.slice(0, dot)}.*`)) return true;
    dot = permission.lastIndexOf('.', dot - 1);
  }
  return false;
}
