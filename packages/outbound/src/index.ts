export {
  createOutboundClient,
  type OutboundClient,
  type OutboundClientOptions,
  type OutboundRequest,
  type OutboundResponse,
} from './client.ts';
export { hostKey } from './host-key.ts';
export { canonicalHost } from './host-name.ts';
export { type OpenSocket, openSocket, type Reach } from './open-socket.ts';
export { OutboundError, type OutboundErrorKind } from './outbound-error.ts';
export { outboundFetch } from './outbound-fetch.ts';
export { outboundUrl, type Scheme } from './outbound-url.ts';
export { publicOrListed } from './public-or-listed.ts';
export { type Lookup, resolveTarget, type VettedTarget } from './resolve-target.ts';
export { type PortRange, type TargetPolicy, targetPolicy } from './target-policy.ts';
export { isTrustFailure, startTls, type TlsTrust, tlsOptions } from './tls-trust.ts';
