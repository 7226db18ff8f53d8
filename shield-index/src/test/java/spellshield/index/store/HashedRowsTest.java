package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import spellshield.index.store.HashedRows.HalfHash;
import spellshield.index.testing.Seeds;

class HashedRowsTest {

  @Test
  void keys_lead_where_a_map_leads_also_where_they_crowd_into_the_same_slots() {
    Seeds.check(
        20,
        random -> {
          // Few different words: many keys share one of them, and the bits that choose a slot.
          long[] highs = random.longs(random.nextInt(1, 200)).toArray();
          long[] lows = random.longs(random.nextInt(1, 200)).map(low -> low << 6).toArray();
          HashedRows rows = new HashedRows();
          Map<HalfHash, Long> oracle = new HashMap<>();
          for (int step = 0; step < 12_000; step++) {
            HalfHash key =
                new HalfHash(
                    highs[random.nextInt(highs.length)], lows[random.nextInt(lows.length)]);
            assertThat(rows.get(key)).isEqualTo(oracle.getOrDefault(key, -1L));
            if (random.nextInt(4) > 0) {
              long row = random.nextInt(Integer.MAX_VALUE);
              rows.put(key, row);
              oracle.put(key, row);
            } else {
              Long row = oracle.remove(key);
              assertThat(rows.remove(key)).isEqualTo(row == null ? -1 : row);
            }
          }
          oracle.forEach((key, row) -> assertThat(rows.get(key)).isEqualTo(row));
        });
  }

  @Test
  void a_key_is_the_first_half_of_the_hash() {
    // SHA-256 of "abc": FIPS 180-2, appendix B.1
    String hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    HalfHash key = new HalfHash(0xba7816bf8f01cfeaL, 0x414140de5dae2223L);
    assertThat(HalfHash.ofSha256(hash)).isEqualTo(key);
    assertThat(HalfHash.ofText("abc", Hashes.sha256())).isEqualTo(key);
  }

  @Test
  void an_id_is_new_once() {
    SeenIds ids = new SeenIds();
    for (int i = 0; i < 10_000; i++) {
      assertThat(ids.add("id " + i)).isTrue();
      assertThat(ids.add("id " + i / 2)).isFalse();
    }
  }
}
