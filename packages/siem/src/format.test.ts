import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cefEvent } from './cef.ts';
import { jsonEvent } from './json-event.ts';
import { sampleEvent } from './sample-event.ts';
import { framed, syslogDatagram, syslogMessage } from './syslog-message.ts';

const style = { format: 'json', facility: 13, hostname: 'node 1' } as const;
const NASTY = 'a"b]c\\d=e|f\r\ng\u0000\u0007\u001b[31m\u0085\u2028\u202e\ud800é😀';
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/;

test('a message is what RFC 5424 says: header, structured data, BOM, text', () => {
  const event = sampleEvent();
  expect(syslogMessage(event, style).toString()).toBe(
    `<110>1 2026-03-01T10:11:12.345Z node_1 claviger vault vault.entry.retrieved ` +
      `[claviger@32473 id="${event.id}" tenant="${event.tenantId}" sequence="41" outcome="allowed"] \ufeff${jsonEvent(event)}`,
  );
});

test.each([
  ['allowed', 110],
  ['denied', 108],
  ['failed', 107],
])('the priority tells the outcome: %s', (outcome, priority) => {
  const text = syslogMessage(sampleEvent({ outcome }), style).toString();
  expect(text.startsWith(`<${priority}>1 `)).toBe(true);
});

test('nothing in an event ends a line, a field or a parameter', () => {
  const event = sampleEvent({
    action: NASTY,
    reason: NASTY,
    service: NASTY,
    tenantId: NASTY,
    details: { [NASTY]: NASTY },
  });
  for (const format of ['json', 'cef'] as const) {
    const text = syslogMessage(event, { ...style, format })
      .toString()
      .replace(' \ufeff', ' ');
    expect(text).not.toMatch(CONTROL);
    const [, , , , , , messageId] = text.split(' ');
    expect(messageId).toMatch(/^[\x21-\x7e]{1,32}$/);
    // The structured data ends at the first bracket that is not escaped.
    expect(/ \[claviger@32473 (?:\w+="(?:[^"\\\]]|\\.)*" ?)*\] /.test(text)).toBe(true);
  }
});

test('JSON says exactly what the event says', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (reason, value) => {
      const event = sampleEvent({ reason, details: { value } });
      const text = jsonEvent(event);
      expect(text).not.toMatch(CONTROL);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(event)));
    }),
  );
});

test('CEF escapes what would end a field, in header and extension each in its way', () => {
  const text = cefEvent(
    sampleEvent({ action: 'a|b\\c=d', reason: 'x=1|y\\z\nnext', sourceAddress: '2001:db8::1' }),
  );
  expect(text.startsWith('CEF:0|Claviger|Claviger|1|a\\|b\\\\c=d|a\\|b\\\\c=d|3|rt=1772359872345 ')).toBe(
    true,
  );
  expect(text).toContain(' reason=x\\=1|y\\\\z\\\\u000anext ');
  expect(text).toContain(' c6a2=2001:db8::1 ');
  expect(text).toContain(' cn1Label=sequence cn1=41');
  expect(text).not.toContain('cs3');
});

test('octet counting counts octets, not characters', () => {
  expect(framed(Buffer.from('é😀')).toString()).toBe('6 é😀');
});

test('a datagram has at most 2,048 bytes, is cut between characters, and tells the digest of the whole', () => {
  const event = sampleEvent({ reason: 'é😀'.repeat(1_000) });
  const datagram = syslogDatagram(event, style);
  expect(datagram.length).toBeLessThanOrEqual(2_048);
  expect(datagram.length).toBeGreaterThan(2_040);
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(datagram);
  const whole = Buffer.from(jsonEvent(event));
  const sha256 = createHash('sha256').update(whole).digest('hex');
  expect(text).toContain(`"][cut@32473 bytes="${whole.length}" sha256="${sha256}"] \ufeff{"id"`);
  const short = sampleEvent();
  expect(syslogDatagram(short, style)).toEqual(syslogMessage(short, style));
});
