import { expect, jest, test } from '@jest/globals';
import { ServiceProcess } from '../../dist/shop/service-process.js';

// Three processes are started here, on a machine that may run as many test files as it has cores.
jest.setTimeout(30_000);

test('a service that cannot start is reported, with what it wrote to stderr', async () => {
  const stderr = jest.spyOn(console, 'error').mockImplementation(() => {});
  try {
    const users = new ServiceProcess('users', { ORDERS_ADDRESS: undefined }, () => {});

    await expect(users.address).rejects.toThrow('The users service ended with exit code 1; its stderr is above.');

    const lines = stderr.mock.calls.map(([line]) => String(line));
    expect(lines.filter((line) => line.includes('shop.v1.Orders') && line.includes('address'))).not.toHaveLength(0);
    expect(lines.every((line) => line.startsWith('users: '))).toBe(true);
  } finally {
    stderr.mockRestore();
  }
});

test('services choose ports of their own', async () => {
  const services = [new ServiceProcess('orders', {}, () => {}), new ServiceProcess('orders', {}, () => {})];
  const addresses = await Promise.all(services.map(({ address }) => address));
  await Promise.all(services.map((service) => service.stop()));

  expect(new Set(addresses).size).toBe(2);
});
