import { describe, expect, it } from 'vitest';
import { isCanonicalTarget } from './canonical-target.ts';

describe('isCanonicalTarget', () => {
  it.each([
    '/',
    '/api/v1/users',
    '/api/v1/users?page=2&search=a%20b+c',
    '/api/v1/vault/entries/3f0c/retrieve',
    '/api/v1/users/a%20b',
    '/api/v1/users/caf%C3%A9',
    '/api/v1/users/a@b.c',
  ])('accepts %s', (target) => {
    expect(isCanonicalTarget(target)).toBe(true);
  });

  it.each([
    '',
    '*',
    'api/v1/users',
    'https://host/api/v1/users',
    '//api/v1/users',
    '/api//v1/users',
    '/api/v1/./users',
    '/api/v1/../v1/users',
    '/api/v1/%75sers',
    '/api/v1/%2e%2e/users',
    '/api/v1/users;a',
    '/api/v1/users%3Ba',
    '/x/..//api/v1/users',
    '/system/health/ping/..%2f..%2fapi/v1/users',
    '/api\\v1/users',
    '/api%5cv1/users',
    '/api/v1/users%00',
    '/api/v1/users/%c0%af',
    '/api/v1/users/%e9',
    '/api/v1/users/%zz',
    '/api/v1/users/ä',
    '/api/v1/users?a=ä',
    '/api/v1/users?a#b',
  ])('refuses %s', (target) => {
    expect(isCanonicalTarget(target)).toBe(false);
  });
});
