import { Shop } from './shop.js';

/** One shop whose services propagate the call context, and one whose services do not; each opens on first use. */
export class Shops {
  private readonly shops = new Map<boolean, { shop: Shop; opened: Promise<void> }>();

  async open(options: { propagate: boolean }): Promise<Shop> {
    let entry = this.shops.get(options.propagate);
    if (entry === undefined) {
      const shop = new Shop();
      entry = { shop, opened: shop.open(options) };
      this.shops.set(options.propagate, entry);
    }
    await entry.opened;
    return entry.shop;
  }

  async close(): Promise<void> {
    await Promise.all([...this.shops.values()].map(({ shop }) => shop.close()));
  }
}
