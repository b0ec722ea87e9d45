import { z } from 'zod';
import { defineSection, setting } from '../section.ts';

const PEM = /^-----BEGIN CERTIFICATE-----[\s\S]*-----END CERTIFICATE-----\s*$/;

const common = {
  /**
   * Identifies the destination in status, test and log position. Renaming it sends everything from `startAt`
   * again.
   */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens, at most 63'),
  enabled: z.boolean().default(true),
  /** Only events whose action begins with one of these prefixes; empty for all. */
  actions: z
    .array(
      z.string().regex(/^[a-z][a-z0-9.-]{0,99}$/, 'must be the beginning of an action, e.g. vault.entry.'),
    )
    .max(50)
    .default([]),
  /** Where a new destination begins: with the first event of the log, or with the next one. */
  startAt: z.enum(['beginning', 'now']).default('beginning'),
};

const ca = z
  .string()
  .max(50_000)
  .refine((text) => text === '' || PEM.test(text), 'must be certificates in PEM')
  .default('');

const host = z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be a host name or an IP address');

const syslogFields = {
  ...common,
  host,
  port: z.int().min(1).max(65_535),
  format: z.enum(['json', 'cef']).default('json'),
  /** RFC 5424 facility; 13 is `log audit`. */
  facility: z.int().min(0).max(23).default(13),
};

/**
 * Every RFC 5424 receiver should accept this size; a shorter message cannot hold the fields that identify the
 * event.
 */
const MIN_MESSAGE_BYTES = 2_048;
/** The default limit of rsyslog (maxMessageSize). */
const STREAM_MESSAGE_BYTES = 8_192;
const MAX_STREAM_MESSAGE_BYTES = 1_048_576;
/** Largest payload of an IPv4 datagram. */
const MAX_DATAGRAM_BYTES = 65_507;

/** In bytes, without framing; longer events are shortened. */
const messageBytes = (max: number, byDefault: number) =>
  z.int().min(MIN_MESSAGE_BYTES).max(max).default(byDefault);
const streamFields = {
  ...syslogFields,
  maxMessageBytes: messageBytes(MAX_STREAM_MESSAGE_BYTES, STREAM_MESSAGE_BYTES),
};

const target = z.discriminatedUnion('transport', [
  z.strictObject({ ...streamFields, transport: z.literal('syslog-tcp') }),
  z.strictObject({
    ...syslogFields,
    maxMessageBytes: messageBytes(MAX_DATAGRAM_BYTES, MIN_MESSAGE_BYTES),
    transport: z.literal('syslog-udp'),
  }),
  z.strictObject({
    ...streamFields,
    transport: z.literal('syslog-tls'),
    /** If given, the only trusted CA; otherwise the CAs of Node.js. */
    ca,
    /** The name in the server's certificate, if it differs from `host`. */
    serverName: z.union([z.literal(''), host]).default(''),
  }),
  z.strictObject({
    ...common,
    transport: z.literal('https'),
    url: z.string().max(2_048).refine(isPlainHttps, 'must be an https:// URL without user name or password'),
    format: z.literal('json').default('json'),
    ca,
    token: z
      .string()
      .max(4_096)
      .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without blanks')
      .default(''),
    /** Precedes the token in the Authorization header, e.g. Bearer or Splunk. */
    tokenScheme: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,40}$/, 'must be one word')
      .default('Bearer'),
  }),
]);

/** Destinations of audit events. */
export const siem = defineSection('siem', {
  services: ['audit'],
  keys: {
    targets: setting({
      scope: 'tenant',
      schema: z
        .array(target)
        .max(10)
        .refine(
          (all) => new Set(all.map(({ name }) => name)).size === all.length,
          'has two destinations with the same name',
        ),
      default: [],
      secret: ['*.token'],
      // Also `ca`: with their own CA, an attacker who controls DNS could impersonate the destination.
      secretFor: ['url', 'ca'],
      description: 'Destinations of audit events: syslog over TCP, TLS or UDP, or HTTPS.',
    }),
  },
});

function isPlainHttps(text: string): boolean {
  if (!/^https:\/\/[^/?#@\\\s]+(?:[/?#][\x21-\x7e]*)?$/.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}
