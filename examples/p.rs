fn main() {
    let a: Vec<usize> = std::env::args().skip(1).map(|x| x.parse().unwrap()).collect();
    let shape = xiao::train::Shape { context: a[1], ..xiao::train::Shape::MICRO };
    println!("{}", xiao::train::Profile::measure(shape, a[0], std::time::Duration::from_secs(a[2] as u64)));
}
