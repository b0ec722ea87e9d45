import type { RestClient } from '@claviger/testkit';

/** A call that succeeds in a world, of one operation. */
export interface Sample {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: object;
  /** The administrator when absent. */
  readonly client?: RestClient;
}
