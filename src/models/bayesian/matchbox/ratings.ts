import { InvalidDataError } from '../../../errors.ts';
import { show } from '../../../show.ts';

/** What somebody thinks of something. */
export interface Rating {
  readonly user: string;
  readonly item: string;
  /** One of the recommender's `ratings`. */
  readonly rating: number;
}

/** Ratings by the places of their users, items and values. */
export interface RatingTable {
  readonly users: Int32Array;
  readonly items: Int32Array;
  readonly levels: Int32Array;
}

/** Places of names, and of values. */
export interface RatingPlaces {
  readonly users: ReadonlyMap<string, number>;
  readonly items: ReadonlyMap<string, number>;
  readonly levels: ReadonlyMap<number, number>;
}

/** Throws InvalidDataError for a user, an item or a value that is not known. */
export function readRatings(ratings: readonly Rating[], places: RatingPlaces): RatingTable {
  const users = new Int32Array(ratings.length);
  const items = new Int32Array(ratings.length);
  const levels = new Int32Array(ratings.length);
  for (const [row, { user, item, rating }] of ratings.entries()) {
    users[row] = placeOf(places.users, user, `user of rating ${row}`);
    items[row] = placeOf(places.items, item, `item of rating ${row}`);
    levels[row] = placeOf(places.levels, rating, `rating ${row}`);
  }
  return { users, items, levels };
}

/** Throws InvalidDataError. */
export function placeOf<T>(places: ReadonlyMap<T, number>, value: T, what: string): number {
  const place = places.get(value);
  if (place !== undefined) return place;
  const known = [...places.keys()].slice(0, 8).map(show).join(', ');
  throw new InvalidDataError(
    `${what} is ${show(value)}, expected one of ${known}${places.size > 8 ? ', …' : ''}`,
  );
}
