import { timingSafeEqual } from 'node:crypto';

/** A password of an account, and the time of its change. */
export interface PastPassword {
  readonly password: string;
  readonly sinceMs: number;
}

const LOCK_AFTER = 3;

/** The accounts of an appliance, with all their passwords so far. */
export class HttpAccounts {
  readonly #histories = new Map<string, PastPassword[]>();
  readonly #failures = new Map<string, number>();

  set(username: string, password: string): void {
    const history = this.#histories.get(username) ?? [];
    history.push({ password, sinceMs: Date.now() });
    this.#histories.set(username, history);
  }

  history(username: string): readonly PastPassword[] {
    return this.#histories.get(username) ?? [];
  }

  /** Whether the password is correct, without a login. */
  accepts(username: string, password: string): boolean {
    const current = this.#histories.get(username)?.at(-1)?.password;
    if (current === undefined) return false;
    const [given, expected] = [Buffer.from(password), Buffer.from(current)];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  /** A login, which may lock the account. */
  login(username: string, password: string, isLocking: boolean): 'accepted' | 'refused' | 'locked' {
    const failures = this.#failures.get(username) ?? 0;
    if (isLocking && failures >= LOCK_AFTER) return 'locked';
    if (this.accepts(username, password)) {
      this.#failures.delete(username);
      return 'accepted';
    }
    this.#failures.set(username, failures + 1);
    return 'refused';
  }

  failures(username: string): number {
    return this.#failures.get(username) ?? 0;
  }

  unlock(username: string): void {
    this.#failures.delete(username);
  }
}
