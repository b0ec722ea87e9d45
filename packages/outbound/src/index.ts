export {
  createOutboundClient,
  type OutboundClient,
  type OutboundClientOptions,
  type OutboundRequest,
  type OutboundResponse,
} from './client.ts';
export { type Endpoint, parseEndpoint } from './endpoint.ts';
export { hostKey } from './host-key.ts';
export { canonicalHost } from './host-name.ts';
export { type OpenSocket, openSocket, type Reach } from './open-socket.ts';
export { OutboundError, type OutboundErrorKind } from './outbound-error.ts';
export { outboundFetch } from './outbound-fetch.ts';
export { outboundUrl, type Scheme } from './outbound-url.ts';
export { createPlatform, type Platform } from './platform.ts';
export type { PlatformRules } from './platform-rules.ts';
export { type Lookup, resolveTarget, type VettedTarget } from './resolve-target.ts';
export { type PortRange, publicOrListed, type TargetPolicy, targetPolicy } from './target-policy.ts';
export { isTrustFailure, startTls, type TlsTrust, tlsOptions } from './tls-trust.ts';
export { UNIFORM_PROBLEM, untilUniform } from './uniform-answer.ts';
