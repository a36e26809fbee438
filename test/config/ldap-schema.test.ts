import { expect, test } from 'vitest';
import { ldapSchema, readLdapAuthorities, toLdap } from '../../src/config/ldap-schema.ts';
import { shape } from '../../src/config/scalars.ts';

const name = 'uid={user},ou=people,dc=corp';
const direct = { url: 'ldaps://ldap.corp.test', bind_dn: name };
const search = { url: 'ldaps://ldap.corp.test', base: 'dc=corp', filter: '(&(objectClass=person)(uid={user}))' };

function read(given: object) {
  const result = shape(ldapSchema, given);
  return result.ok
    ? toLdap(result.value, (file) => `/etc/${file}`)
    : result.findings.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

test('users bind by their names', () => {
  expect(read(direct)).toEqual({
    urls: ['ldaps://ldap.corp.test'],
    caFile: null,
    timeout: 5_000,
    bindDn: name,
    passwordFile: null,
    search: null,
  });
  for (const bind of ['{user}@corp.test', 'CORP\\{user}'])
    expect(read({ ...direct, bind_dn: bind })).toBeTypeOf('object');
});

test('or are searched for, and go by the attribute that is compared with what they say', () => {
  const found = { base: 'dc=corp', filter: search.filter, userAttribute: 'uid', groupAttribute: null };
  expect(read(search)).toMatchObject({ search: found, bindDn: null });
  const more = { bind_dn: 'cn=reader', password_file: 'r.pass', group_attribute: 'memberOf', user_attribute: 'mail' };
  expect(read({ ...search, ...more, ca_file: 'ca.pem', url: ['ldaps://a', 'ldaps://[::1]:1636'] })).toMatchObject({
    urls: ['ldaps://a', 'ldaps://[::1]:1636'],
    caFile: '/etc/ca.pem',
    passwordFile: '/etc/r.pass',
    search: { ...found, userAttribute: 'mail', groupAttribute: 'memberOf' },
  });
});

test.each([
  [{ ...direct, url: 'ldap://ldap.corp.test' }, 'url: passwords go over TLS only'],
  [{ ...direct, starttls: true }, 'url: passwords go over TLS only'],
  [{ ...direct, url: ['ldaps://a', 'LDAP://b'] }, 'url: passwords go over TLS only'],
  [{ ...direct, url: 'https://ldap.corp.test' }, 'a server is written ldaps://host'],
  [{ ...direct, url: 'ldaps://cn=x:secret@ldap' }, 'a server is written ldaps://host'],
  [{ ...direct, url: 'ldaps://ldap/dc=corp' }, 'a server is written ldaps://host'],
  [{ ...direct, url: 'ldaps://ldap:99999' }, 'a server is written ldaps://host'],
  [{ url: 'ldaps://a' }, 'bind_dn: without "base" and "filter"'],
  [{ url: 'ldaps://a', bind_dn: 'uid=ada,dc=corp' }, 'bind_dn: without "base" and "filter"'],
  [{ url: 'ldaps://a', bind_dn: '{user}' }, 'bind_dn: without "base" and "filter"'],
  [{ ...direct, password_file: 'x' }, 'password_file: "password_file" belongs to a search'],
  [{ ...direct, group_attribute: 'memberOf' }, 'group_attribute: "group_attribute" belongs to a search'],
  [{ ...direct, base: 'dc=corp' }, 'base: a search needs both'],
  [{ ...direct, filter: '(uid={user})' }, 'filter: a search needs both'],
  [{ ...search, bind_dn: name, password_file: 'x' }, 'bind_dn: with "base" and "filter"'],
  [{ ...search, bind_dn: 'cn=reader' }, 'bind_dn: the account that searches needs'],
  [{ ...search, password_file: 'x' }, 'password_file: the account that searches needs'],
  [{ ...search, filter: 'uid={user}' }, 'filter: a filter is in parentheses'],
  [{ ...search, filter: '(uid=ada)' }, 'filter: a filter is in parentheses'],
  [{ ...search, filter: '((uid={user})' }, 'filter: a filter is in parentheses'],
  [{ ...search, filter: '(uid={user}))(' }, 'filter: a filter is in parentheses'],
  [{ ...search, filter: '(a=b)(uid={user})' }, 'filter: a filter is in parentheses'],
  [{ ...search, user_attribute: 'a b' }, 'user_attribute: an attribute is written as a name'],
  [{ ...search, bind_nd: 'x' }, 'did you mean "bind_dn"?'],
])('%j is no directory', (given, told) => {
  expect(read(given)).toContain(told);
});

test('a file of authorities that cannot be used is told', () => {
  expect(() => readLdapAuthorities(import.meta.filename)).toThrow(/holds no certificate in PEM form/);
  expect(() => readLdapAuthorities('/nowhere/ca.pem')).toThrow(/^\/nowhere\/ca\.pem: cannot be read \(ENOENT\)/);
});
