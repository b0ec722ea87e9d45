import type { TargetPolicy } from '@claviger/outbound';
import type { ZodType } from 'zod';
import type { ConnectorErrorKind } from './connector-error.ts';

export type ConnectorType = 'http' | 'ldap' | 'mysql' | 'postgres' | 'ssh';

/** What the caller passes to every operation. */
export interface ConnectorContext {
  /** Ends the operation early. If the change was already sent, the rotation is ambiguous. */
  readonly signal: AbortSignal;
  /** Limit for name lookup and TCP connect together. */
  readonly connectTimeoutMs: number;
  /** Limit for the whole operation. */
  readonly operationTimeoutMs: number;
  /** The targets that the tenant may connect to. */
  readonly allow: TargetPolicy;
  /**
   * Returns for how many milliseconds the caller may still change the target; 0 after another replica has
   * taken over. Called immediately before the change is sent; after a result above 0 the caller counts the
   * change as sent. If absent, there is no limit.
   */
  readonly mayChange?: () => number | Promise<number>;
}

/** An account on the target, by the name that the target uses. */
export interface Account {
  readonly username: string;
  /** The type of the secret; the default is a password. Only `ssh` logs in with keys. */
  readonly secretType?: 'password' | 'ssh-key';
}

/** A login: a password, or for SSH a private key in PEM or OpenSSH form. */
export interface Credential {
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
}

export interface RotationSecrets {
  /** The current password; required when the account rotates itself. */
  readonly current?: string;
  readonly next: string;
  /** Required when the target's `rotateAs` is `admin`. */
  readonly admin?: Credential;
  /**
   * Set the password even if the account cannot log in, because its secret was disclosed. Otherwise such an
   * account is `refused`: no login could verify its password.
   */
  readonly evenIfBlocked?: boolean;
}

export interface TestResult {
  readonly ok: boolean;
  /** The target itself refused the credential; the target may count this as a failed login. */
  readonly refused?: boolean;
  readonly latencyMs: number;
  readonly serverVersion?: string;
  /** The host key that the target presented; an administrator compares and then pins it. */
  readonly hostKeyFingerprint?: string;
  readonly problem?: string;
  readonly hint?: string;
}

export type VerifyResult =
  | { readonly outcome: 'accepted' }
  /** The target itself refused this secret. */
  | { readonly outcome: 'refused'; readonly reason: string; readonly hint?: string }
  | {
      readonly outcome: 'unknown';
      readonly kind: UnknownKind;
      readonly reason: string;
      readonly hint?: string;
    };

/** Why a login does not show whether the secret is valid: every failure except a refused secret. */
export type UnknownKind = Exclude<ConnectorErrorKind, 'authentication'>;

/**
 * Why the target certainly kept its password:
 * - `policy`: the target does not accept this password; generate another one;
 * - `authentication`: the target refused the login; stop, and count it as a failed login (lockout);
 * - `permission`: the login lacks permissions, or the settings forbid it; an administrator must act;
 * - `not_now`: a minimum age, a connection limit, a temporary lock; try the same pending version later;
 * - `not_possible`: the account is locked, expired or without login; an administrator must act on the target;
 * - `unreachable`: the change was never sent; try the same pending version later.
 */
export type RefusalKind =
  | 'policy'
  | 'authentication'
  | 'permission'
  | 'not_now'
  | 'not_possible'
  | 'unreachable';

export type RotateResult =
  | { readonly outcome: 'applied'; readonly blocked?: BlockedAccount }
  | {
      readonly outcome: 'refused';
      readonly kind: RefusalKind;
      readonly reason: string;
      /** What to do next, if known: names the command or the setting. */
      readonly hint?: string;
    }
  /** The target may hold either password: keep both and verify later. */
  | { readonly outcome: 'ambiguous'; readonly reason: string };

/** An account that an administrator of the target sees as blocked. A rotation does not unblock it. */
export interface BlockedAccount {
  readonly reason: string;
  readonly hint: string;
}

export interface DiscoveredAccount {
  readonly username: string;
  readonly privileged: boolean;
  readonly canLogin: boolean;
  /** A day, `YYYY-MM-DD`, if the target reports it. */
  readonly lastPasswordChange?: string;
  readonly details: Readonly<Record<string, string>>;
}

/** One kind of target; `Config` is what an administrator stores about it (without secrets). */
export interface ConnectorDefinition<Config> {
  readonly type: ConnectorType;
  readonly configSchema: ZodType<Config>;
  test(target: Config, credential: Credential, ctx: ConnectorContext): Promise<TestResult>;
  verify(target: Config, account: Account, secret: string, ctx: ConnectorContext): Promise<VerifyResult>;
  rotate(
    target: Config,
    account: Account,
    secrets: RotationSecrets,
    ctx: ConnectorContext,
  ): Promise<RotateResult>;
  /** Throws ConnectorError if the accounts cannot be read. */
  discover(target: Config, admin: Credential, ctx: ConnectorContext): Promise<DiscoveredAccount[]>;
}

/** A connector as its callers use it: each call validates `target` against `configSchema`. */
export type Connector = Omit<ConnectorDefinition<unknown>, 'configSchema'> & {
  readonly configSchema: ZodType;
};
