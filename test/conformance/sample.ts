import type { RestClient } from '@claviger/testkit';

/** A successful call of an operation. */
export interface Sample {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: object;
  /** Default: the administrator. */
  readonly client?: RestClient;
}
