import type { Category } from '../categories.ts';
import { areCategories, compareCategories } from '../categories.ts';
import { InvalidDataError, LimitExceededError, MalformedDataError } from '../errors.ts';
import { tableLimits } from '../limits.ts';
import { show } from '../show.ts';
import { requireList, requireObject, requireWhole } from '../strictJson.ts';

/** The categories of one column and how often each occurs, as JSON. Categories are sorted. */
export interface CategoryCountsJson {
  readonly categories: readonly Category[];
  readonly counts: readonly number[];
}

/** The categories of one column: all numbers or all strings, with the number of rows of each. Counts add exactly. */
export class CategoryCounts {
  readonly #counts = new Map<Category, number>();
  readonly #column: number;

  constructor(column: number) {
    this.#column = column;
  }

  /** Categories in order: numbers as numbers, strings by code unit. */
  get categories(): Category[] {
    return [...this.#counts.keys()].sort(compareCategories);
  }

  /** The rows that have this category. */
  countOf(category: Category): number {
    return this.#counts.get(category) ?? 0;
  }

  /** Throws InvalidDataError where numbers meet strings, LimitExceededError for too many categories. */
  add(category: Category, count = 1): void {
    const known = this.#counts.get(category);
    if (known === undefined) this.#checkNew(category);
    // A map's key is never −0, so 0 and −0 are one category.
    this.#counts.set(category, (known ?? 0) + count);
  }

  /** Adds all the counts of another column of categories. */
  addAll(other: CategoryCounts): void {
    for (const [category, count] of other.#counts) this.add(category, count);
  }

  toJSON(): CategoryCountsJson {
    const { categories } = this;
    return { categories, counts: categories.map((category) => this.countOf(category)) };
  }

  /** Reads counts that add up to `rows`. Throws MalformedDataError. */
  static fromJSON(json: unknown, column: number, rows: number): CategoryCounts {
    const what = `columns[${column}]`;
    const form = requireObject(json, what);
    const categories = readCategories(form.categories, `${what}.categories`);
    const counts = requireList(form.counts, `${what}.counts`, { length: categories.length });
    const read = new CategoryCounts(column);
    let sum = 0;
    categories.forEach((category, index) => {
      const count = requireWhole(counts[index], `${what}.counts[${index}]`, 1, rows);
      sum += count;
      read.add(category, count);
    });
    if (sum !== rows) throw new MalformedDataError(`${what}.counts add up to ${sum}, expected ${rows} rows`);
    return read;
  }

  #checkNew(category: Category): void {
    const [first] = this.#counts.keys();
    if (first !== undefined && typeof first !== typeof category) {
      throw new InvalidDataError(
        `column ${this.#column} has both ${show(first)} and ${show(category)}, expected categories that are all numbers or all strings`,
      );
    }
    if (this.#counts.size >= tableLimits.categoriesMax) {
      throw new LimitExceededError(
        `column ${this.#column} has more than ${tableLimits.categoriesMax} categories`,
      );
    }
  }
}

/** A sorted list of at least one category. Throws MalformedDataError. */
export function readCategories(json: unknown, what: string): readonly Category[] {
  const list = requireList(json, what, { lengthMax: tableLimits.categoriesMax });
  const isSorted = (categories: readonly Category[]): boolean =>
    categories.every(
      (category, index) => index === 0 || compareCategories(categories[index - 1] as Category, category) < 0,
    );
  if (list.length === 0 || !areCategories(list) || !isSorted(list)) {
    throw new MalformedDataError(
      `${what} are ${show(list)}, expected different finite numbers or different short strings, sorted`,
    );
  }
  return list.map((category) => (category === 0 ? 0 : category));
}
