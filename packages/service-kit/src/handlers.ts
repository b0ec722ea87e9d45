import type { ServiceDefinition } from '@claviger/contracts';
import type { CallContext } from './call-context.ts';
import type { RequestOf, ResponseOf } from './client.ts';

/** One function per RPC, in a file named after the operation. */
export type Handler<M> = M extends { responseStream: true }
  ? (request: RequestOf<M>, context: CallContext) => AsyncIterable<ResponseOf<M>>
  : (request: RequestOf<M>, context: CallContext) => Promise<ResponseOf<M>>;

export type Handlers<D extends ServiceDefinition> = { readonly [K in keyof D]: Handler<D[K]> };

/** The intersection of the dependencies of several handler factories. */
export type DepsOf<F extends (deps: never) => unknown> = [F] extends [(deps: infer D) => unknown] ? D : never;
