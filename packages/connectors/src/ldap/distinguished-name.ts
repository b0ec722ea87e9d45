const dnStart = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)=./;

/** Whether a text can be a distinguished name; the server decides whether it is one of its. */
export function isDn(text: string): boolean {
  return text.length <= 1024 && dnStart.test(text) && !/\p{Cc}/u.test(text);
}

/** A value inside a distinguished name (RFC 4514). */
export function escapeDnValue(value: string): string {
  return value.replace(/[\\,+"<>;=#]/g, (character) => `\\${character}`).replace(/^ | $/g, '\\ ');
}

/** Whether two distinguished names mean the same, as far as `comparableDn` goes. */
export function isSameDn(one: string, other: string): boolean {
  return comparableDn(one) === comparableDn(other);
}

/** Other names of the attributes that are usual in distinguished names (RFC 4514 3, RFC 4519). */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  commonname: 'cn',
  '2.5.4.3': 'cn',
  surname: 'sn',
  '2.5.4.4': 'sn',
  countryname: 'c',
  '2.5.4.6': 'c',
  localityname: 'l',
  '2.5.4.7': 'l',
  stateorprovincename: 'st',
  '2.5.4.8': 'st',
  streetaddress: 'street',
  '2.5.4.9': 'street',
  organizationname: 'o',
  '2.5.4.10': 'o',
  organizationalunitname: 'ou',
  '2.5.4.11': 'ou',
  userid: 'uid',
  '0.9.2342.19200300.100.1.1': 'uid',
  domaincomponent: 'dc',
  '0.9.2342.19200300.100.1.25': 'dc',
};

/**
 * One text for the spellings of a distinguished name: case, blanks, ways of escaping, order within a part,
 * attribute names.
 */
export function comparableDn(dn: string): string {
  return dn
    .replace(/=\s*#((?:[0-9a-fA-F]{2})+)(?=[\s,+]|$)/g, (_all, hex) => `=${ofBer(String(hex))}`)
    .replace(/((?:\\[0-9a-fA-F]{2})+)|\\(.)|([^\x00-\x7f]|[#<>;"])/gsu, (_all, pairs, escaped, wide) =>
      comparableText(
        pairs === undefined ? String(escaped ?? wide) : ofHex(String(pairs).replaceAll('\\', '')),
      ),
    )
    .toLowerCase()
    .split(',')
    .map((part) => part.split('+').map(comparablePart).sort().join('+'))
    .join(',');
}

function comparablePart(part: string): string {
  const [type = '', ...value] = part.split('=');
  const name = type.trim();
  return [ATTRIBUTES[name] ?? name, value.join('=').replace(/\s+/g, ' ').trim()].join('=');
}

/** A value in the form `#04…`, where it is a string. */
function ofBer(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const isString = [0x04, 0x0c, 0x13, 0x16].includes(bytes[0] ?? 0) && bytes[1] === bytes.length - 2;
  return isString ? hex.slice(4).replace(/../g, '\\$&') : `#${hex}`;
}

const ofHex = (hex: string): string => Buffer.from(hex, 'hex').toString();

/** Letters, digits and blanks as they are, everything else escaped byte by byte. */
function comparableText(text: string): string {
  const characters = [...text.normalize('NFKC').toLowerCase()];
  return characters
    .map((character) =>
      /[a-z0-9 ._-]/.test(character)
        ? character
        : Buffer.from(character).toString('hex').replace(/../g, '\\$&'),
    )
    .join('');
}
