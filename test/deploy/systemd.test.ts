/** The systemd unit, judged by systemd itself where it is installed, and the configuration that goes with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { lintSettings } from '../../src/config/settings-lint.ts';
import { configurationOf } from './configuration.ts';
import { isInstalled, read, runTool } from './repository.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-systemd-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const unit = read('deploy/systemd/sallyport.service');
const setting = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? 'not set';
const config = configurationOf('/etc/sallyport/sallyport.yaml', [
  ['config', '/etc/sallyport'],
  ['deploy/systemd/sallyport.yaml', '/etc/sallyport/sallyport.yaml'],
]);

describe('sallyport.service', () => {
  test.skipIf(!isInstalled('systemd-analyze'))('systemd-analyze has nothing to say against it', () => {
    // Where Node.js is differs from machine to machine; that it is there is no matter of the unit.
    const file = join(folder, 'sallyport.service');
    writeFileSync(file, unit.replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`));
    const { status, output } = runTool('systemd-analyze', 'verify', file);
    expect(output).not.toContain('sallyport.service');
    expect(status, output).toBe(0);
  });

  test.skipIf(!isInstalled('systemd-analyze'))('systemd-analyze finds its exposure low', () => {
    const file = join(folder, 'sallyport.service');
    writeFileSync(file, unit);
    const { output } = runTool('systemd-analyze', 'security', '--offline=true', '--threshold=25', '--no-pager', file);
    expect(output).toMatch(/Overall exposure level for sallyport\.service: [0-2]\.\d/);
  });

  test.each([
    ['ExecReload', '/bin/kill -HUP $MAINPID'],
    ['KillSignal', 'SIGTERM'],
    ['NoNewPrivileges', 'yes'],
    ['ProtectSystem', 'strict'],
    ['MemoryDenyWriteExecute', 'no'],
    ['RestartPreventExitStatus', '2'],
  ])('%s=%s', (name, value) => {
    expect(setting(name)).toBe(value);
  });

  test('waits longer than the proxy drains, and gives it two descriptors for each connection', () => {
    expect(Number(setting('TimeoutStopSec')) * 1000).toBeGreaterThan(config.limits.drainTimeout);
    expect(Number(setting('LimitNOFILE'))).toBeGreaterThan(2 * config.limits.connections);
  });

  test('the configuration writes only where the unit lets it', () => {
    expect(unit).toContain('SALLYPORT_CONFIG=/etc/sallyport/sallyport.yaml');
    expect(config.certificates.dir.startsWith(`/var/lib/${setting('StateDirectory')}/`)).toBe(true);
    expect(config.accessLog.path.startsWith(`/var/log/${setting('LogsDirectory')}/`)).toBe(true);
    expect(read('deploy/systemd/sallyport.logrotate')).toContain(`${config.accessLog.path} {`);
    expect(config.listen.admin.host).toBe('127.0.0.1');
  });

  test('serves no stranger, and a check says what is left to do', () => {
    expect(lintSettings(config).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the assistant "qoder" is at /),
    ]);
  });

  test('the command beside it goes by the configuration of the service, or by another that is named', () => {
    const command = join(folder, 'sallyport');
    const text = read('deploy/systemd/sallyport');
    expect(text).toContain('/usr/bin/node /opt/sallyport/dist/main.js');
    const ran = (env: string): string => runTool('sh', '-c', `${env} sh ${command} 'one word'`).output;
    writeFileSync(join(folder, 'print'), 'printf "%s %s\\n" "$SALLYPORT_CONFIG" "$1"');
    writeFileSync(command, text.replace('/usr/bin/node /opt/sallyport/dist/main.js', `sh ${join(folder, 'print')}`));
    expect(ran('SALLYPORT_CONFIG=')).toBe('/etc/sallyport/sallyport.yaml one word\n');
    expect(ran('SALLYPORT_CONFIG=/tmp/own.yaml')).toBe('/tmp/own.yaml one word\n');
  });

  test('its user is made by the file beside it', () => {
    expect(read('deploy/systemd/sallyport.sysusers')).toMatch(new RegExp(`^u ${setting('User')} `, 'm'));
  });
});
