"""How an organisation begins: asked for by anybody, made when the address is proven."""
