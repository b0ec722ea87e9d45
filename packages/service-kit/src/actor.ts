/** Who acts, as auth vouched for it within the last minute. */
export interface Actor {
  readonly userId: string;
  readonly userName: string;
  readonly tenantId: string;
  /** Of the tenant that runs the installation. */
  readonly platform: boolean;
  readonly sessionId: string;
  readonly kind: 'user' | 'api-token';
  readonly permissions: ReadonlySet<string>;
  /** Names of the roles of the user. */
  readonly roles: readonly string[];
  /** The session still owes its second factor: it may only complete the challenge or end. */
  readonly mfaPending: boolean;
  /** When a second factor was last proved in this session, epoch seconds; 0 when never. */
  readonly mfaAt: number;
  /** They have emergency access open, and administer nothing meanwhile. */
  readonly emergency?: boolean;
}

/** Permissions in roles may end in `*`: `vault.*` covers `vault.entries.read`, `*` covers everything. */
export function permits(granted: ReadonlySet<string>, permission: string): boolean {
  if (granted.has(permission) || granted.has('*')) return true;
  let dot = permission.lastIndexOf('.');
  while (dot > 0) {
    if (granted.has(`${permission.slice(0, dot)}.*`)) return true;
    dot = permission.lastIndexOf('.', dot - 1);
  }
  return false;
}
