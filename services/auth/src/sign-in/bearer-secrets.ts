import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Hash of a stored secret. Plain SHA-256 suffices: secrets have 256 random bits. */
export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

const SECRET = '[A-Za-z0-9_-]{43}';
const REFRESH = new RegExp(`^clr_(${SECRET})_([0-9a-f]{32})$`);
const API = new RegExp(`^clv_(${SECRET})_([0-9a-f]{32})([0-9a-f]{8})$`);
const AGENT = new RegExp(`^cla_(${SECRET})_([0-9a-f]{32})([0-9a-f]{8})$`);
const LINK = new RegExp(`^cl1_(${SECRET})_([0-9a-f]{32})([0-9a-f]{32})$`);
const PREFIX_LENGTH = 12;

const secret = (): string => randomBytes(32).toString('base64url');
const hexOf = (uuid: string): string => uuid.replaceAll('-', '');
const uuidOf = (hex: string): string => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');

/**
 * Each token contains its tenant, because row-level security requires the tenant before the token can be
 * looked up.
 */
export function newRefreshToken(tenantId: string): string {
  return `clr_${secret()}_${hexOf(tenantId)}`;
}

export function readRefreshToken(token: string): { tenantId: string; hash: Buffer } | undefined {
  const match = REFRESH.exec(token);
  return match ? { tenantId: uuidOf(match[2]!), hash: sha256(token) } : undefined;
}

/** Prefix and checksum let scanners find leaked tokens without false matches. */
export function newApiToken(tenantId: string): { token: string; prefix: string; hash: Buffer } {
  const body = `clv_${secret()}_${hexOf(tenantId)}`;
  const token = body + checksum(body);
  return { token, prefix: token.slice(0, PREFIX_LENGTH), hash: sha256(token) };
}

export function readApiToken(token: string): { tenantId: string; hash: Buffer } | undefined {
  const match = API.exec(token);
  if (!match || checksum(token.slice(0, -8)) !== match[3]) return undefined;
  return { tenantId: uuidOf(match[2]!), hash: sha256(token) };
}

/** Like an API token, for the agent of a device. */
export function newAgentToken(tenantId: string): { token: string; hash: Buffer } {
  const body = `cla_${secret()}_${hexOf(tenantId)}`;
  const token = body + checksum(body);
  return { token, hash: sha256(token) };
}

export function readAgentToken(token: string): { tenantId: string; hash: Buffer } | undefined {
  const match = AGENT.exec(token);
  if (!match || checksum(token.slice(0, -8)) !== match[3]) return undefined;
  return { tenantId: uuidOf(match[2]!), hash: sha256(token) };
}

/** A link contains the id of its row, so that wrong secrets count against that row. */
export function newLinkToken(tenantId: string, linkId: string): { token: string; secretHash: Buffer } {
  const own = secret();
  return { token: `cl1_${own}_${hexOf(tenantId)}${hexOf(linkId)}`, secretHash: sha256(own) };
}

export function readLinkToken(
  token: string,
): { tenantId: string; linkId: string; secretHash: Buffer } | undefined {
  const match = LINK.exec(token);
  if (!match) return undefined;
  return { tenantId: uuidOf(match[2]!), linkId: uuidOf(match[3]!), secretHash: sha256(match[1]!) };
}
