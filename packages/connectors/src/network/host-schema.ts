import { canonicalHost } from '@claviger/outbound';
import { z } from 'zod';

/** A host in a connector's settings: a plain name or a canonical IP address. */
export const hostSchema = z
  .string()
  .max(253)
  .refine((host) => canonicalHost(host) !== undefined, 'must be a plain host name or an IP address');

export const portSchema = z.int().min(1).max(65535);
