"""How a code looks: as characters, as an address, as a picture, on a poster. Pure: values in, bytes out."""
