import type { AuthContext } from '@grpc/grpc-js/build/src/auth-context.js';

/** What the pipeline needs of a call, whether plain gRPC or in a call stream. */
export interface IncomingCall {
  readonly request: object;
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
  getAuthContext(): AuthContext;
  getDeadline(): Date | number;
  /** The caller may cancel before a listener is attached. */
  readonly cancelled: boolean;
  on(event: 'cancelled', listener: () => void): unknown;
}
