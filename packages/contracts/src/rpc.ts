/** Encodes and decodes one message type, as ts-proto generates it. */
export interface MessageCodec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

/** One RPC of a generated service definition, in the form that `@grpc/grpc-js` requires. */
export interface Rpc<Request, Response, Stream extends boolean = boolean> {
  /** e.g. `/claviger.vault.v1.EntriesService/GetEntry` */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: Stream;
  readonly requestSerialize: (message: Request) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (message: Response) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** An RPC with a single answer. */
export function unary<Request, Response>(
  path: string,
  request: MessageCodec<Request>,
  response: MessageCodec<Response>,
): Rpc<Request, Response, false> {
  return { path, requestStream: false, responseStream: false, ...codecs(request, response) };
}

/** An RPC with a stream of answers. */
export function serverStream<Request, Response>(
  path: string,
  request: MessageCodec<Request>,
  response: MessageCodec<Response>,
): Rpc<Request, Response, true> {
  return { path, requestStream: false, responseStream: true, ...codecs(request, response) };
}

/** An RPC with a stream in each direction. */
export function duplexStream<Request, Response>(
  path: string,
  request: MessageCodec<Request>,
  response: MessageCodec<Response>,
): Rpc<Request, Response, true> {
  return { path, requestStream: true, responseStream: true, ...codecs(request, response) };
}

function codecs<Request, Response>(request: MessageCodec<Request>, response: MessageCodec<Response>) {
  return {
    requestSerialize: (message: Request) => toBuffer(request.encode(message).finish()),
    requestDeserialize: (bytes: Buffer) => request.decode(bytes),
    responseSerialize: (message: Response) => toBuffer(response.encode(message).finish()),
    responseDeserialize: (bytes: Buffer) => response.decode(bytes),
  };
}

/** Shares the memory: a finished writer does not use it again. */
function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The RPCs of one gRPC service by their names in lower camel case, e.g. `getEntry`. */
export interface ServiceDefinition {
  readonly [method: string]: {
    readonly path: string;
    readonly requestStream: boolean;
    readonly responseStream: boolean;
    readonly requestSerialize: (message: never) => Buffer;
    readonly requestDeserialize: (bytes: Buffer) => unknown;
    readonly responseSerialize: (message: never) => Buffer;
    readonly responseDeserialize: (bytes: Buffer) => unknown;
  };
}
