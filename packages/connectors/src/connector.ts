import type { TargetPolicy } from '@claviger/outbound';
import type { ZodType } from 'zod';
import type { ConnectorErrorKind } from './connector-error.ts';

export type ConnectorType = 'http' | 'ldap' | 'mysql' | 'postgres' | 'ssh';

/** What every operation gets from its caller. */
export interface ConnectorContext {
  /** Ends the operation early; what was already sent makes a rotation ambiguous. */
  readonly signal: AbortSignal;
  /** For name lookup and TCP connect together. */
  readonly connectTimeoutMs: number;
  /** For the whole operation. */
  readonly operationTimeoutMs: number;
  /** What the tenant may reach. */
  readonly allow: TargetPolicy;
  /**
   * For how many milliseconds the caller may still change the target, asked immediately before the change is sent; 0 when another
   * has taken the work over. From an answer above 0 the caller counts the change as sent. Without a limit, when absent.
   */
  readonly mayChange?: () => number | Promise<number>;
}

/** The account on the target, by the name the target knows it. */
export interface Account {
  readonly username: string;
  /** What the secret beside it is: a password where nothing is said. Only `ssh` logs in with keys. */
  readonly secretType?: 'password' | 'ssh-key';
}

/** How to log in: a password, or for SSH a private key in PEM or OpenSSH form. */
export interface Credential {
  readonly username: string;
  readonly password?: string;
  readonly privateKey?: string;
}

export interface RotationSecrets {
  /** The password that is valid now; needed when the account rotates itself. */
  readonly current?: string;
  readonly next: string;
  /** Needed when the target's `rotateAs` is `admin`. */
  readonly admin?: Credential;
  /**
   * An administrator sets the password also of an account that cannot log in: somebody has seen its secret.
   * Otherwise such an account ends `refused`, since no login could prove what it holds.
   */
  readonly evenIfBlocked?: boolean;
}

export interface TestResult {
  readonly ok: boolean;
  /** The target itself refused the credential: it may count that. */
  readonly refused?: boolean;
  readonly latencyMs: number;
  readonly serverVersion?: string;
  /** What was seen while connecting; an administrator compares and then pins it. */
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

/** Why a login says nothing about the secret: every kind of failure but the refusal of the secret itself. */
export type UnknownKind = Exclude<ConnectorErrorKind, 'authentication'>;

/**
 * Why the target surely kept its password:
 * - `policy`: not this password; generate another;
 * - `authentication`: it refused the login; stop and count it against the lockout budget;
 * - `permission`: not by this login, or not with these settings; a person must act;
 * - `not_now`: a minimum age, a limit of connections, a lock that passes; try the same candidate later;
 * - `not_possible`: the account itself is locked, expired or has no login; a person must act on the target;
 * - `unreachable`: the change was never sent; try the same candidate later.
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
      /** What to do next, where that is known: it names the command or the setting. */
      readonly hint?: string;
    }
  /** The target may or may not have taken the new password: keep both and probe. */
  | { readonly outcome: 'ambiguous'; readonly reason: string };

/** An account that cannot log in, as an administrator of the target sees it. A rotation leaves it so. */
export interface BlockedAccount {
  readonly reason: string;
  readonly hint: string;
}

export interface DiscoveredAccount {
  readonly username: string;
  readonly privileged: boolean;
  readonly canLogin: boolean;
  /** A day, `YYYY-MM-DD`, where the target tells. */
  readonly lastPasswordChange?: string;
  readonly details: Readonly<Record<string, string>>;
}

/** One kind of target; `Config` is what an administrator stores about it (no secrets). */
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
  /** Throws ConnectorError when the accounts cannot be read. */
  discover(target: Config, admin: Credential, ctx: ConnectorContext): Promise<DiscoveredAccount[]>;
}

/** A connector as callers use it: `target` is checked against `configSchema` at each call. */
export type Connector = Omit<ConnectorDefinition<unknown>, 'configSchema'> & {
  readonly configSchema: ZodType;
};
