//! What the environment says of calls.

use super::Reader;
use crate::Destination;

impl Reader<'_> {
    /// What workflows may call beside the public web, from `HOOKWRIGHT_ALLOWED_DESTINATIONS`, with commas between.
    pub fn allowed_destinations(&mut self) -> Option<Vec<Destination>> {
        let shape = "a list of HOST, HOST:PORT, NETWORK or NETWORK:PORT with commas between";
        let list = self.optional("HOOKWRIGHT_ALLOWED_DESTINATIONS", shape, |list| destinations(list).is_some())?;
        list.map_or_else(|| Some(Vec::new()), |list| destinations(&list))
    }
}

fn destinations(list: &str) -> Option<Vec<Destination>> {
    list.split(',').map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::read_from;

    fn read(list: Option<&str>) -> Result<Vec<String>, String> {
        let lookup = |_: &str| list.map(str::to_owned);
        let read = read_from(&lookup, |reader| reader.allowed_destinations()).map_err(|error| error.to_string())?;
        Ok(read.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn destinations_are_read_and_none_is_a_list_too() {
        assert_eq!(read(None), Ok(Vec::new()));
        assert_eq!(read(Some("")), Ok(Vec::new()));
        let list = "Orders.internal:8080, 10.1.2.3/16,router,[fd12::1]:8443,fd12::/48,10.0.0.1";
        let expected =
            ["orders.internal:8080", "10.1.0.0/16", "router", "[fd12::1/128]:8443", "fd12::/48", "10.0.0.1/32"];
        assert_eq!(read(Some(list)), Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_is_no_destination_is_told() {
        for wrong in [
            "a,,b",
            "a b",
            "https://a.example",
            "a:",
            "a:0",
            "a:65536",
            "a:http",
            "10.0.0.0/33",
            "127.1",
            "a_b",
            "*.a.example",
            "a/b",
            "[::1",
            "a.",
        ] {
            let told = read(Some(wrong)).unwrap_err();
            assert!(told.contains("HOOKWRIGHT_ALLOWED_DESTINATIONS is not a list of HOST"), "{wrong}: {told}");
        }
    }
}
